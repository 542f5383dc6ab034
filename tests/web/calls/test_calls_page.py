"""Call pages without JavaScript: the list, its filters, one call and its path."""

import re
from datetime import timedelta

import pytest

from callytics.database.paging import PAGE_SIZE
from callytics.telephony.hangup_causes import CAUSES, cause_text
from tests.support.pages import HTMX, PageClient, text_of
from tests.support.shelf import STARTED_AT, Shelf, wav_bytes

WAV = wav_bytes(bytes(16000))
ROW = re.compile(r'<tbody id="call-([0-9a-z]+)"')
# An item of the timeline, up to the next item.
STEP = re.compile(r'<li class="(?:begin|node|end)">.*?(?=<li class="|</ol>)', re.DOTALL)


@pytest.fixture
def reviewer(shelf: Shelf) -> PageClient:
    return shelf.client("rita")


def at(seconds: float):
    return STARTED_AT + timedelta(seconds=seconds)


def step(node: str, kind: str, result: str | None, began: float, ended: float | None):
    """Return a step of a path as the worker stores it."""
    times = {"started_at": at(began).isoformat(), "ended_at": ended and at(ended).isoformat()}
    return {"node": node, "type": kind, "result": result, **times}


def uids(answer) -> list[str]:
    return ROW.findall(answer.get_data(as_text=True))


def steps_of(answer) -> list[str]:
    """Return the text of each item of the timeline."""
    items = STEP.findall(answer.get_data(as_text=True))
    return [" ".join(re.sub(r"<[^>]+>", " ", item).split()) for item in items]


# The list


def test_no_calls_yet_says_that_they_will_appear(reviewer):
    page = reviewer.get("/calls")
    assert "No calls yet" in text_of(page)


def test_a_row_says_who_called_whom_who_answered_and_how_long_they_waited_and_talked(
    shelf, reviewer
):
    times = {"answered_at": at(7), "ended_at": at(7 + 187)}
    shelf.add_call("c1", caller_name="Ann Lee", callee="PJSIP/desk", **times)
    shelf.add(WAV, call_uid="c1", duration_ms=187_000)
    page = reviewer.get("/calls")
    words = "Ann Lee 5551234 1000 desk 22 Nov 2026, 09:30 UTC wait 00:07 talk 03:07 Answered"
    assert f"{words} Listen to Transfer 03:07" in text_of(page)
    assert 'href="/calls/c1"' in page.get_data(as_text=True)


def test_a_call_that_nobody_answered_was_waiting_until_its_end(shelf, reviewer):
    shelf.add_call("c1", disposition="abandoned", ended_at=at(45))
    assert "1000 Nobody 22 Nov 2026, 09:30 UTC wait 00:45 Given up by the caller" in text_of(
        reviewer.get("/calls")
    )


def test_a_call_in_progress_says_so_even_when_it_was_answered(shelf, reviewer):
    shelf.add_call("c1", answered_at=at(7), ended_at=None)
    page = text_of(reviewer.get("/calls"))
    assert "wait 00:07 In progress" in page
    assert "talk" not in page


def test_a_call_shows_three_of_many_recordings_and_how_many_more(shelf, reviewer):
    shelf.add_call("c1")
    for minute in range(5):
        shelf.add(WAV, call_uid="c1", started_at=at(minute * 60))
    page = reviewer.get("/calls")
    assert text_of(page).count("Listen to Transfer") == 3
    assert "and 2 more" in text_of(page)


@pytest.mark.parametrize(
    ("problem", "state", "reason", "words"),
    [
        ("no flow has the number 1000", None, "", "Problem no flow has the number 1000"),
        ("", "failed", "the disk is full", "Not recorded the disk is full"),
        ("not recorded: the disk is full", "failed", "the disk is full", "the disk is full"),
        ("", "missing", "the file is gone", "Recording missing the file is gone"),
        ("", "missing", "", "Recording missing"),
    ],
)
def test_what_should_have_been_recorded_and_was_not_is_marked_once(
    shelf, reviewer, problem, state, reason, words
):
    shelf.add_call("c1", problem=problem)
    if state:
        shelf.add(None, call_uid="c1", state=state, state_reason=reason)
    shelf.add(WAV, call_uid="c1")
    for url in ("/calls", "/calls?problem=1"):
        page = reviewer.get(url)
        assert words in text_of(page)
        assert page.get_data(as_text=True).count('class="problem"') == 1
        assert not reason or text_of(page).count(reason) == 1
    notice = reviewer.get("/calls/c1").get_data(as_text=True)
    assert notice.count('class="notice"') == 1


def test_a_call_with_all_its_recordings_has_no_mark(shelf, reviewer):
    shelf.add_call("c1")
    shelf.add(WAV, call_uid="c1", state_reason="cut short")
    assert 'class="problem"' not in reviewer.get("/calls").get_data(as_text=True)
    assert uids(reviewer.get("/calls?problem=1")) == []


def test_a_filter_is_chosen_by_a_link_and_kept_over_the_pages(shelf, reviewer):
    for number in range(PAGE_SIZE + 2):
        shelf.add_call(f"b{number}", disposition="busy", problem="x", started_at=at(number))
        shelf.add_call(f"a{number}", started_at=at(number))
    page, shown = reviewer.get("/calls?disposition=busy&problem=1"), []
    assert 'disposition=busy&amp;problem=1" aria-current="true"' in page.get_data(as_text=True)
    shown += uids(page)
    assert "Here end the newest 1,000 problems" not in text_of(page)
    older = re.search(r'rel="next" href="([^"]+)"', page.get_data(as_text=True))
    page = reviewer.get(older[1].replace("&amp;", "&"))
    shown += uids(page)
    assert "Here end the newest 1,000 problems" in text_of(page)
    assert shown == [f"b{number}" for number in reversed(range(PAGE_SIZE + 2))]
    newer = re.search(r'rel="prev" href="([^"]+)"', page.get_data(as_text=True))
    first = reviewer.get(newer[1].replace("&amp;", "&"))
    assert first.status_code == 302
    assert first.location == "/calls?disposition=busy&problem=1"


def test_a_filter_that_leaves_nothing_leads_back_to_all(shelf, reviewer):
    shelf.add_call("c1")
    page = reviewer.get("/calls?disposition=failed")
    assert "There are no such calls" in text_of(page)
    assert 'href="/calls">Show all calls' in page.get_data(as_text=True)
    assert uids(reviewer.get("/calls?disposition=&problem=")) == ["c1"]


@pytest.mark.parametrize("query", ["disposition=x", "disposition=%00", "problem=2", "after=x"])
def test_what_cannot_be_asked_for_helps(reviewer, query):
    assert reviewer.get(f"/calls?{query}").status_code == 400


def test_htmx_gets_the_table_alone_and_nothing_when_nothing_changed(shelf, reviewer):
    shelf.add_call("c1", disposition=None, ended_at=None)
    facts = shelf.add(None, call_uid="c1", state="recording")
    table = reviewer.get("/calls", headers=HTMX)
    assert "<h1" not in table.get_data(as_text=True)
    assert "HX-Request" in table.vary
    again = {**HTMX, "If-None-Match": table.headers["ETag"]}
    assert reviewer.get("/calls", headers=again).status_code == 304
    shelf.add(None, uid=facts.uid, call_uid="c1", state="failed")
    assert reviewer.get("/calls", headers=again).status_code == 200


# One call


def test_a_call_shows_its_path_in_order_with_its_recording_in_place(shelf, reviewer):
    path = [
        step("greeting", "play_audio", "played", 0.2, 6),
        step("desk", "transfer", "busy", 6, 9),
        step("message", "voicemail", "message", 9, 41),
    ]
    ended = {"disposition": "no_answer", "hangup_cause": 16, "ended_at": at(41)}
    shelf.add_call("c1", flow="main", path=path, **ended)
    kept = shelf.add(
        WAV, call_uid="c1", node="message", kind="voicemail", started_at=at(14), duration_ms=1000
    )
    page = reviewer.get("/calls/c1")
    *nodes, left, ended = steps_of(page)
    assert nodes == [
        "09:30:00 UTC Call began",
        "09:30:00 UTC greeting Play audio, 00:06 Played to its end",
        "09:30:06 UTC desk Transfer, 00:03 Busy",
    ]
    words = "09:30:09 UTC message Voicemail, 00:32 A message was left Voicemail recording"
    assert left.startswith(f"{words} from 09:30:14 UTC 00:01")
    assert ended == "09:30:41 UTC Call ended : ended normally cause 16"
    assert f'src="/recordings/{kept.uid}/audio"' in page.get_data(as_text=True)
    assert "ResultNobody answered" in text_of(page)
    assert "Wait00:41 Hang-upEnded normally cause 16" in text_of(page)


def test_a_node_in_which_people_talked_says_who_answered_and_when(shelf, reviewer):
    path = [step("desk", "transfer", "answered", 0, 60)]
    shelf.add_call("c1", callee="PJSIP/desk", path=path, answered_at=at(15), ended_at=at(60))
    page = reviewer.get("/calls/c1")
    assert "Answered by desk, 09:30:15 UTC" in steps_of(page)[1]
    # The call rang for a quarter of its time; the rest is the conversation.
    assert '<rect class="part" x="0" width="1000"' in page.get_data(as_text=True)
    assert '<rect class="talk" x="250" width="750"' in page.get_data(as_text=True)


def test_a_flow_that_passes_a_node_twice_has_each_recording_at_its_visit(shelf, reviewer):
    path = [
        step("desk", "transfer", "hung_up", 0, 10),
        step("desk", "transfer", "answered", 10, 30),
    ]
    shelf.add_call("c1", path=path)
    first = shelf.add(WAV, call_uid="c1", node="desk", started_at=at(5))
    second = shelf.add(WAV, call_uid="c1", node="desk", started_at=at(12))
    elsewhere = shelf.add(WAV, call_uid="c1", node="gone", started_at=at(12))
    items = STEP.findall(reviewer.get("/calls/c1").get_data(as_text=True))
    shown = [re.findall(r'id="rec-([0-9a-f]+)"', item) for item in items]
    assert shown == [[], [first.uid], [second.uid], [elsewhere.uid], []]


def test_a_call_in_progress_follows_itself_and_has_no_player_that_it_would_cut_off(shelf, reviewer):
    path = [step("desk", "transfer", None, 1, None)]
    shelf.add_call("c1", disposition=None, path=path, ended_at=None)
    kept = shelf.add(WAV, call_uid="c1", node="desk", started_at=at(2))
    page = reviewer.get("/calls/c1")
    assert "every 2s" in page.get_data(as_text=True)
    assert "<audio" not in page.get_data(as_text=True)
    assert f'href="/recordings/{kept.uid}"' in page.get_data(as_text=True)
    assert "EndedIt is going on." in text_of(page)
    assert steps_of(page)[1].startswith("09:30:01 UTC desk Transfer Going on")
    assert steps_of(page)[-1] == "In progress This page follows it by itself."


def test_each_node_has_the_part_of_the_call_in_which_the_caller_was_there(shelf, reviewer):
    path = [step("greeting", "play_audio", "played", 0, 15), step("desk", "transfer", "", 15, 60)]
    shelf.add_call("c1", path=path, ended_at=at(60))
    shown = reviewer.get("/calls/c1").get_data(as_text=True)
    assert '<rect class="part" x="0" width="250"' in shown
    assert '<rect class="part" x="250" width="750"' in shown


def test_a_recording_without_sound_has_its_reason_and_no_bar(shelf, reviewer):
    shelf.add_call("c1", path=[step("desk", "transfer", "answered", 0, 60)])
    shelf.add(None, call_uid="c1", node="desk", state="failed", state_reason="no room")
    page = reviewer.get("/calls/c1")
    assert "Failed no room" in steps_of(page)[1]
    assert 'class="kept" x=' not in page.get_data(as_text=True)


def test_a_path_of_which_little_is_known_is_shown_as_far_as_it_goes(shelf, reviewer):
    shelf.add_call("c1", path=[{"node": "old", "type": "menu", "result": "pressed_1"}, {}])
    assert steps_of(reviewer.get("/calls/c1"))[1:3] == [
        "old menu pressed_1",
        "Unnamed node What became of it is not known",
    ]


def test_names_from_the_telephone_network_are_only_text(shelf, reviewer):
    name = "<script>alert(1)</script>\"'&"
    words = {"caller_name": name, "callee": name, "flow": name, "problem": name}
    shelf.add_call("c1", dialed_number=name, path=[step(name, name, name, 0, 1)], **words)
    for url in ("/calls", "/calls/c1"):
        page = reviewer.get(url)
        assert name in text_of(page)
        assert "<script>alert" not in page.get_data(as_text=True)


@pytest.mark.parametrize("uid", ["0" * 20, "%00", "a'b", "x" * 5000])
def test_an_unknown_call_is_a_page_that_helps(reviewer, uid):
    answer = reviewer.get(f"/calls/{uid}")
    assert answer.status_code == 404


def test_recording_and_call_lead_to_each_other(shelf, reviewer):
    shelf.add_call("c1", path=[step("desk", "transfer", "answered", 0, 60)])
    kept = shelf.add(WAV, call_uid="c1", node="desk")
    alone = shelf.add(WAV)
    assert 'href="/calls/c1"' in reviewer.get(f"/recordings/{kept.uid}").get_data(as_text=True)
    assert f'href="/recordings/{kept.uid}"' in reviewer.get("/calls/c1").get_data(as_text=True)
    page = reviewer.get(f"/recordings/{alone.uid}").get_data(as_text=True)
    assert 'href="/calls/' not in page
    assert '<a href="/calls">Calls</a>' in page


def test_nobody_sees_calls_without_signing_in(shelf):
    shelf.add_call("c1")
    for url in ("/calls", "/calls/c1"):
        answer = shelf.app.test_client().get(url)
        assert answer.status_code == 302
        assert answer.location.startswith("/login")


@pytest.mark.parametrize(
    ("number", "word"), [(16, "normally"), (17, "busy"), (19, "no answer"), (21, "refused")]
)
def test_causes_are_said_in_words(number, word):
    assert word in cause_text(number)


def test_a_cause_that_nobody_defined_is_called_unknown():
    assert 0 not in CAUSES
    assert cause_text(0) == cause_text(999) == "unknown cause"


def test_two_places_of_the_list_at_once_are_refused(reviewer):
    answer = reviewer.get("/calls?after=1-1&before=1-1")
    assert answer.status_code == 400
    assert "There is no such place in the list." in text_of(answer)
