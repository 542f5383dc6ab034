"""The library without JavaScript: the list, one recording, deleting, and what goes wrong."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from callytics.calls.ledger import save_call
from callytics.clock import utc_now
from callytics.database.engine import db
from callytics.database.paging import PAGE_SIZE
from callytics.pbx.heartbeat import WORKER_SILENT_SECONDS
from callytics.pbx.models import Pbx
from callytics.recordings import ledger
from tests.support.pages import HTMX, PageClient, text_of
from tests.support.pbxs import record_heartbeat
from tests.support.shelf import STARTED_AT, Shelf, wav_bytes

WAV = wav_bytes(bytes(16000))
ROW = re.compile(r'<tbody id="rec-([0-9a-z]+)"')


@pytest.fixture
def admin(shelf: Shelf) -> PageClient:
    return shelf.client("ada")


@pytest.fixture
def reviewer(shelf: Shelf) -> PageClient:
    return shelf.client("rita")


def note_worker(shelf: Shelf, seconds_ago: float = 0, connected: bool = True, problem: str = ""):
    with shelf.app.app_context():
        at = utc_now()
        record_heartbeat("worker", at, at if connected else None, "22.10.1", problem)
        with db.engine.connect().execution_options(writes=True) as connection, connection.begin():
            seen_at = at - timedelta(seconds=seconds_ago)
            connection.execute(Pbx.__table__.update().values(seen_at=seen_at))


def uids(answer) -> list[str]:
    return ROW.findall(answer.get_data(as_text=True))


# The list


def test_an_empty_library_tells_an_administrator_how_to_try_it(admin):
    page = admin.get("/recordings")
    assert "No recordings yet" in text_of(page)
    assert "Place a test call" in text_of(page)
    assert "flask calls place-test" in text_of(page)


def test_an_empty_library_offers_a_reviewer_nothing_they_may_not_do(reviewer):
    page = reviewer.get("/recordings")
    assert "No recordings yet" in text_of(page)
    assert "Place a test call" not in text_of(page)


def test_a_row_says_who_called_whom_when_how_long_and_what_became_of_it(shelf, reviewer):
    facts = {"caller_name": "Ann Lee", "caller_number": "5551234", "dialed_number": "1000"}
    shelf.add(WAV, **facts, callee="PJSIP/desk", duration_ms=187_400)
    page = reviewer.get("/recordings")
    words = "Ann Lee 5551234 desk 1000 22 Nov 2026, 09:30 UTC 03:07 Transfer Available"
    assert words in text_of(page)
    assert '<time datetime="2026-11-22T09:30:00Z"' in page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("state", "word"),
    [("requested", "Requested"), ("recording", "Recording"), ("missing", "Missing")],
)
def test_a_recording_without_audio_has_no_player_and_says_its_state(shelf, reviewer, state, word):
    facts = shelf.add(None, state=state, state_reason="because of this")
    page = reviewer.get("/recordings")
    assert f"Transfer {word} because of this" in text_of(page)
    assert f"/recordings/{facts.uid}/download" not in page.get_data(as_text=True)


def test_names_from_the_telephone_network_are_only_text(shelf, admin):
    name = "<script>alert(1)</script>\"'&"
    facts = shelf.add(WAV, caller_name=name, callee=name, state_reason=name)
    for url in ("", f"/{facts.uid}", f"/{facts.uid}/delete"):
        page = admin.get(f"/recordings{url}")
        assert name in text_of(page)
        assert "<script>alert" not in page.get_data(as_text=True)


def test_walking_through_all_pages_shows_each_recording_once_and_back_again(shelf, reviewer):
    # Calls that began in the same microsecond must neither be lost nor shown twice.
    starts = [STARTED_AT + timedelta(seconds=number // 4) for number in range(2 * PAGE_SIZE + 7)]
    kept = [shelf.add(None, state="failed", started_at=start).uid for start in starts]
    newest_first = kept[::-1]
    page, forth = reviewer.get("/recordings"), []
    while True:
        forth.append(uids(page))
        older = re.search(r'rel="next" href="([^"]+)"', page.get_data(as_text=True))
        if not older:
            break
        page = reviewer.get(older[1])
    assert [len(part) for part in forth] == [PAGE_SIZE, PAGE_SIZE, 7]
    assert [uid for part in forth for uid in part] == newest_first
    back = []
    while newer := re.search(r'rel="prev" href="([^"]+)"', page.get_data(as_text=True)):
        page = reviewer.get(newer[1], follow_redirects=True)
        back.append(uids(page))
    assert back == forth[-2::-1]
    assert page.request.query_string == b"", "the first page is the one that new calls come to"


def test_a_page_whose_recordings_were_all_deleted_leads_to_the_newest(reviewer):
    page = reviewer.get("/recordings?after=1")
    assert "Nothing more is left here" in text_of(page)


@pytest.mark.parametrize(
    "query",
    [
        "after=",
        "before=x",
        "after=-1",
        "after=1-1",
        "after=1&sort=longest",
        "after=9999999999999999999",
        "after=1-9999999999999999999&sort=longest",
        "after=1&before=2",
        "before=%00",
        "after=%D9%A1",  # a digit, but not ours
        "after=1%0A",
    ],
)
def test_a_place_that_does_not_exist_helps(reviewer, query):
    page = reviewer.get(f"/recordings?{query}")
    assert page.status_code == 400
    assert "There is no such place in the list" in text_of(page)
    assert 'href="/recordings"' in page.get_data(as_text=True)


def test_htmx_gets_the_table_alone_and_nothing_when_nothing_changed(shelf, reviewer):
    kept = shelf.add(None, state="recording")
    note_worker(shelf)
    table = reviewer.get("/recordings", headers=HTMX)
    assert "<h1" not in table.get_data(as_text=True)
    assert "HX-Request" in table.vary
    again = {**HTMX, "If-None-Match": table.headers["ETag"]}
    note_worker(shelf)
    unchanged = reviewer.get("/recordings", headers=again)
    assert (unchanged.status_code, unchanged.data) == (304, b"")
    with shelf.app.app_context():
        ledger.mark_recording(kept.uid, "failed", "no audio")
    assert reviewer.get("/recordings", headers=again).status_code == 200
    assert shelf.client("ada").get("/recordings", headers=again).status_code == 200


def test_the_library_is_where_everybody_begins(reviewer):
    assert reviewer.get("/").location == "/recordings"


# The banner


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (None, "The worker is not running."),
        ({"seconds_ago": WORKER_SILENT_SECONDS + 1}, "It was last seen"),
        ({"connected": False}, "The worker has no connection to Asterisk."),
        ({"connected": False, "problem": "wrong password"}, "It says: wrong password"),
        ({"problem": "the folder is full"}, "the folder is full"),
    ],
)
def test_a_worker_that_is_not_well_is_said_on_the_page(shelf, reviewer, how, words):
    if how is not None:
        note_worker(shelf, **how)
    page = text_of(reviewer.get("/recordings"))
    assert words in page
    assert "flask doctor" in page


def test_a_worker_that_is_well_is_not_spoken_of(shelf, reviewer):
    note_worker(shelf, seconds_ago=WORKER_SILENT_SECONDS - 10)
    assert "worker" not in text_of(reviewer.get("/recordings"))


# One recording


def test_one_recording_shows_its_facts_its_player_and_its_call(shelf, reviewer):
    facts = shelf.add(WAV, call_uid="c1", caller_number="5551234", callee="PJSIP/desk", flow="main")
    voicemail = shelf.add(WAV, call_uid="c1", kind="voicemail", format="ulaw")
    with shelf.app.app_context():
        save_call(
            {
                "uid": "c1",
                "direction": "inbound",
                "started_at": STARTED_AT,
                "disposition": "no_answer",
                "hangup_cause": 19,
                "path": [{"node": "greeting", "type": "play_audio", "result": "played"}],
            }
        )
    page = reviewer.get(f"/recordings/{facts.uid}")
    html, words = page.get_data(as_text=True), text_of(page)
    assert f'<audio controls preload="none" src="/recordings/{facts.uid}/audio"' in html
    assert 'aria-label="Recording of 5551234 to desk, 22 Nov 2026, 09:30 UTC"' in html
    assert "Nobody answered" in words
    assert "no answer 19" in words
    assert "greeting play audio: played" in words
    assert f'href="/recordings/{voicemail.uid}"' in html


def test_a_recording_in_progress_has_no_player_and_looks_again_by_itself(shelf, reviewer):
    open_one, done = shelf.add(None, state="recording"), shelf.add(WAV)
    page = reviewer.get(f"/recordings/{open_one.uid}").get_data(as_text=True)
    assert "<audio" not in page
    assert "every 2s" in page
    assert "every 2s" not in reviewer.get(f"/recordings/{done.uid}").get_data(as_text=True)


@pytest.mark.parametrize("uid", ["0" * 20, "..", "%00", "a'b", "%2e%2e%2fetc", "x" * 5000])
@pytest.mark.parametrize("page", ["", "/player", "/delete"])
def test_an_unknown_recording_is_a_page_that_helps(admin, uid, page):
    answer = admin.get(f"/recordings/{uid}{page}")
    assert answer.status_code == 404
    assert "Go to the recordings" in text_of(answer)


def test_the_player_opened_without_htmx_is_the_page_of_the_recording(shelf, reviewer):
    kept = shelf.add(WAV)
    assert reviewer.get(f"/recordings/{kept.uid}/player").location == f"/recordings/{kept.uid}"
    fragment = reviewer.get(f"/recordings/{kept.uid}/player", headers=HTMX)
    assert fragment.get_data(as_text=True).lstrip().startswith("<tr")


# Deleting


def test_deleting_asks_and_then_removes_audio_facts_and_row_and_is_kept_in_the_audit(shelf, admin):
    kept = shelf.add(WAV)
    question = admin.get(f"/recordings/{kept.uid}/delete")
    assert "Delete this recording?" in text_of(question)
    assert shelf.path(kept).exists(), "asking deletes nothing"
    answer = admin.send(f"/recordings/{kept.uid}/delete")
    assert (answer.status_code, answer.location) == (303, "/recordings")
    assert "is deleted" in text_of(admin.get("/recordings"))
    assert list(shelf.storage.walk()) == []
    assert shelf.row(kept) is None
    assert shelf.accesses(kept) == [("ada", "delete")]


def test_deleting_what_is_gone_from_the_folder_already_removes_the_row(shelf, admin):
    kept = shelf.add(None, state="missing")
    shelf.storage.delete(kept.facts_path)
    assert admin.send(f"/recordings/{kept.uid}/delete").status_code == 303
    assert shelf.row(kept) is None


@pytest.mark.parametrize("stays", ["path", "facts_path"])
def test_a_file_that_cannot_go_keeps_its_row_and_says_so(shelf, admin, stays):
    kept = shelf.add(WAV)
    place = shelf.storage.root / getattr(kept, stays)
    place.unlink()
    place.mkdir()  # even root cannot unlink a folder
    answer = admin.send(f"/recordings/{kept.uid}/delete")
    assert answer.status_code == 409
    assert "could not be deleted" in text_of(answer)
    assert shelf.row(kept) is not None
    place.rmdir()
    assert admin.send(f"/recordings/{kept.uid}/delete").status_code == 303


@pytest.mark.parametrize("state", ["requested", "recording"])
def test_what_is_still_being_recorded_stays(shelf, admin, state):
    kept = shelf.add(WAV, state=state)
    answer = admin.send(f"/recordings/{kept.uid}/delete")
    assert answer.status_code == 409
    assert "still being recorded" in text_of(answer)
    assert shelf.path(kept).exists()
    assert shelf.row(kept) is not None


def test_a_forged_path_deletes_nothing_outside_the_folder(shelf, admin, tmp_path):
    precious = tmp_path / "precious.wav"
    precious.write_bytes(WAV)
    kept = shelf.add(WAV)
    with shelf.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE recordings SET path = '../precious.wav'"))
    assert admin.send(f"/recordings/{kept.uid}/delete").status_code == 409
    assert precious.exists()


def test_htmx_deletes_the_row_and_is_told_so(shelf, admin):
    kept = shelf.add(WAV, caller_name="Ann", callee="PJSIP/desk")
    question = admin.get(f"/recordings/{kept.uid}/delete", headers=HTMX)
    assert f'<tr class="detail ask" id="ask-{kept.uid}">' in question.get_data(as_text=True)
    answer = admin.send(f"/recordings/{kept.uid}/delete", headers=HTMX)
    assert answer.status_code == 200
    assert "The recording of Ann to desk is deleted." in text_of(answer)
    assert shelf.row(kept) is None


def test_a_refusal_comes_back_in_the_place_of_the_question_for_htmx(shelf, admin):
    kept = shelf.add(WAV, state="recording")
    answer = admin.send(f"/recordings/{kept.uid}/delete", headers=HTMX)
    assert answer.status_code == 409
    assert answer.headers["HX-Retarget"] == f"#ask-{kept.uid}"
    assert "still being recorded" in text_of(answer)


def test_a_reviewer_neither_deletes_nor_places_calls(shelf, reviewer):
    kept = shelf.add(WAV)
    assert "/delete" not in reviewer.get("/recordings").get_data(as_text=True)
    assert "/delete" not in reviewer.get(f"/recordings/{kept.uid}").get_data(as_text=True)
    assert reviewer.get(f"/recordings/{kept.uid}/delete").status_code == 403
    for url in (f"/recordings/{kept.uid}/delete", "/test-call"):
        refused = reviewer.send(url)
        assert refused.status_code == 403
        assert "Only an administrator" in text_of(refused)
    assert shelf.row(kept) is not None


# Errors


def test_a_test_call_that_cannot_be_placed_says_why(admin):
    assert admin.send("/test-call").status_code == 303
    assert "The test call could not be placed." in text_of(admin.get("/recordings"))


@pytest.mark.parametrize(("url", "status"), [("/nowhere", 404), ("/test-call", 405)])
def test_errors_are_pages_that_say_what_to_do(admin, url, status):
    page = admin.get(url)
    assert page.status_code == status
    assert "Go to the recordings" in text_of(page)


def test_a_form_that_is_far_too_large_is_refused(admin):
    answer = admin.post("/login", data={"username": "x" * 2_000_000})
    assert answer.status_code == 413


def test_a_database_that_does_not_answer_is_said_in_words(shelf, admin):
    with shelf.app.app_context(), db.engine.begin() as connection:
        connection.execute(text("DROP TABLE users"))
    page = admin.get("/recordings")
    assert page.status_code == 503
    assert "flask doctor" in text_of(page)
    message = admin.get("/recordings", headers=HTMX)
    assert message.status_code == 503
    assert "The database does not answer." in text_of(message)
