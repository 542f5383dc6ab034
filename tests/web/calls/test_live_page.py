"""Live page: the step and the recording of each call in progress, and the pause button."""

import re
from datetime import timedelta
from typing import Any

import pytest

from callytics.clock import utc_now
from callytics.queues import membership
from callytics.recordings import library
from callytics.recordings.pauses import PausedSpan
from tests.support.pages import HTMX, text_of
from tests.support.shelf import Shelf


def call_in(shelf: Shelf, uid: str, node_type: str, seconds: int = 40, **values: Any) -> str:
    """Add a call that has been in the node `desk` for the last quarter of its time."""
    now = utc_now()
    step = {"node": "desk", "type": node_type, "result": None, "ended_at": None}
    step["started_at"] = (now - timedelta(seconds=seconds / 4)).isoformat()
    given = {"started_at": now - timedelta(seconds=seconds), "ended_at": None, "path": [step]}
    return shelf.add_call(uid, disposition=None, **{**given, **values})


def talk(shelf: Shelf, uid: str, state: str = "recording", **facts: Any) -> Any:
    """Add a conversation with a recording."""
    values = {"answered_at": utc_now(), "callee": "PJSIP/alice"}
    call_in(shelf, uid, "transfer", **values)
    return shelf.add(None, uid=f"r-{uid}", call_uid=uid, state=state, node="desk", **facts)


def live(shelf: Shelf, name: str = "rita") -> str:
    return text_of(shelf.client(name).get("/live"))


@pytest.mark.parametrize(
    "node_type, words",
    [
        ("play_audio", "Hears desk"),
        ("transfer", "Rings desk"),
        ("hunt_group", "Rings desk"),
        ("queue", "Waits in desk"),
        ("voicemail", "Leaves a message"),
        ("outbound", "Calls 1000"),
        ("a type of a later version", "Is in desk"),
    ],
)
def test_where_a_call_is_stands_there_in_words(shelf: Shelf, node_type: str, words: str) -> None:
    call_in(shelf, "c1", node_type)
    assert words in live(shelf)
    assert "Not recorded" in live(shelf)


def test_the_name_of_the_queue_is_said_and_not_that_of_its_node(shelf: Shelf) -> None:
    call_in(shelf, "c1", "queue")
    with shelf.app.app_context():
        membership.enter("c1", "support", "worker", "5551234", utc_now())
    assert "Waits in support" in live(shelf)


def test_who_talks_with_whom_and_for_how_long_is_there_without_javascript(shelf: Shelf) -> None:
    talk(shelf, "c1", caller_name="Ann")
    said = live(shelf)
    assert "Talks with alice" in said
    assert re.search(r"for 00:0\d call 00:4\d", said)


def test_a_call_that_has_only_begun_or_is_between_two_nodes_is_there_too(shelf: Shelf) -> None:
    call_in(shelf, "c1", "transfer", path=[])
    assert "Begins" in live(shelf)
    over = {"node": "desk", "type": "transfer", "result": "busy", "started_at": None}
    call_in(shelf, "c1", "transfer", path=[{**over, "ended_at": utc_now().isoformat()}])
    assert "Goes on" in live(shelf)


def test_calls_that_have_ended_are_not_there_and_without_any_it_says_so(shelf: Shelf) -> None:
    shelf.add_call("c1")
    assert "No call in progress" in live(shelf)


def test_the_newest_stands_first_and_more_than_are_shown_are_told(shelf: Shelf) -> None:
    for number in range(201):
        call_in(shelf, f"c{number}", "queue", seconds=1000 - number)
    page = shelf.client("rita").get("/live").get_data(as_text=True)
    assert page.count("<tbody") == 200
    assert page.index('id="call-c200"') < page.index('id="call-c1"')
    assert 'id="call-c0"' not in page
    assert "These are the newest 200; more calls go on." in page


def test_what_should_be_recorded_and_is_not_says_why(shelf: Shelf) -> None:
    talk(shelf, "c1", "failed", state_reason="the disk is full")
    said = live(shelf)
    assert "Not recorded the disk is full" in said
    assert "Pause recording" not in said


@pytest.mark.parametrize(
    "facts, words, button",
    [
        ({"state": "requested"}, "Requested", ""),
        ({"state": "recording"}, "Recording", "Pause recording"),
        ({"state": "recording", "paused": True}, r"Paused for 00:\d\d by ada", "Resume recording"),
        ({"state": "requested", "paused": True}, r"Paused for 00:\d\d by ada", "Resume recording"),
        ({"state": "recording", "asked": True}, "Recording", "Pause recording"),
        ({"state": "recording", "kind": "voicemail"}, "Recording", ""),
        ({"state": "available"}, "Recorded until now", ""),
    ],
)
def test_whether_it_is_recorded_is_said_with_the_button_for_it(
    shelf: Shelf, facts: dict[str, Any], words: str, button: str
) -> None:
    paused, asked = facts.pop("paused", False), facts.pop("asked", False)
    at_ms = 1000 if paused else None
    spans = (PausedSpan(utc_now(), "ada", at_ms),) if paused or asked else ()
    talk(shelf, "c1", pauses=spans, **facts)
    said = live(shelf)
    assert re.search(words, said)
    for name in ("Pause recording", "Resume recording"):
        assert (name in said) == (name == button)


def test_an_unchanged_page_costs_an_answer_without_content(shelf: Shelf) -> None:
    talk(shelf, "c1")
    client = shelf.client("rita")
    first = client.get("/live", headers=HTMX)
    again = client.get("/live", headers={**HTMX, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    shelf.add(None, uid="r-c1", call_uid="c1", state="recording", node="desk")
    call_in(shelf, "c2", "queue")
    news = client.get("/live", headers={**HTMX, "If-None-Match": first.headers["ETag"]})
    assert news.status_code == 200
    assert "<html" not in news.get_data(as_text=True)


def test_a_worker_that_is_away_makes_the_list_doubtful(shelf: Shelf) -> None:
    call_in(shelf, "c1", "queue")
    assert "What is listed here may be over by now." in live(shelf)


def test_the_library_says_paused_and_what_is_over_is_paused_no_more(shelf: Shelf) -> None:
    facts = talk(shelf, "c1", pauses=(PausedSpan(utc_now(), "ada", 1000),))
    assert "Paused" in text_of(shelf.client("rita").get("/recordings"))
    shelf.add(b"", **{**vars(facts), "state": "available"})
    assert "Paused" not in text_of(shelf.client("rita").get("/recordings"))
    with shelf.app.app_context():
        assert hash(library.recording("r-c1"))
