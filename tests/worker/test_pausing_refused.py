"""Pause from a page: Asterisk refuses or does not answer, or two people press at once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from callytics.clock import utc_now
from tests.support.pages import HTMX, PageClient, text_of
from tests.support.rows import facts_of, rows, use_settings
from tests.support.shelf import Shelf
from tests.support.stage import Stage
from tests.support.stand_in import BROKEN, GONE, REFUSED, UNANSWERED, StandInCall
from tests.support.waiting import wait_until

PAUSE, RESUME = "POST recordings live * pause", "DELETE recordings live * pause"
Row = dict[str, Any]


@pytest.fixture(scope="module")
def shelf(stage: Stage) -> Shelf:
    """Library of the same installation, with two accounts."""
    shelf = Shelf.of(stage.environment)
    shelf.app.test_client_class = PageClient
    shelf.add_person("ada", "admin")
    shelf.add_person("rita")
    return shelf


@pytest.fixture
def rita(shelf: Shelf) -> FlaskClient:
    return shelf.client("rita")


@pytest.fixture
def call(stage: Stage, request: pytest.FixtureRequest) -> Iterator[StandInCall]:
    """A call that is recorded; after the test it still ends without a problem."""
    call = stage.ari.place_call(request.node.name)
    stage.connect(call)
    yield call
    stage.ari.faults.clear()
    call.happens("caller hangs up")
    assert stage.wait_for_end(call)["problem"] == ""
    assert recording(stage, call)["state"] == "available"


def recording(stage: Stage, call: StandInCall) -> Row:
    (row,) = stage.recordings_of(call)
    return row


def spans(stage: Stage, call: StandInCall) -> list[Row]:
    return json.loads(recording(stage, call)["pauses"] or "[]")


def press(client: FlaskClient, stage: Stage, call: StandInCall, action: str = "pause") -> str:
    """Press the button; return the text of the page."""
    url = f"/recordings/{recording(stage, call)['uid']}/{action}"
    return text_of(client.send(url, headers=HTMX))


def audit(stage: Stage, call: StandInCall) -> list[tuple[str, str, str]]:
    uid = recording(stage, call)["uid"]
    query = f"SELECT * FROM audit_entries WHERE recording_uid = '{uid}' ORDER BY id"
    return [(e["username"], e["action"], e["detail"][:21]) for e in rows(stage.environment, query)]


def test_the_page_says_paused_when_asterisk_has_confirmed_it(
    stage: Stage, call: StandInCall, rita: FlaskClient
) -> None:
    said = press(rita, stage, call)
    assert "Paused for 00:0" in said and "by rita" in said and "Resume recording" in said
    assert stage.ari.paused == {call.ids["recording"]}
    said = press(rita, stage, call, "resume")
    assert "Recording again." in said and "Pause recording" in said
    assert stage.ari.paused == set()
    assert audit(stage, call) == [("rita", "pause", ""), ("rita", "resume", "")]


def test_a_refusal_is_told_and_the_facts_are_put_right(
    stage: Stage, call: StandInCall, rita: FlaskClient
) -> None:
    stage.ari.fault(PAUSE, REFUSED)
    said = press(rita, stage, call)
    assert "Not confirmed: it may still be recording." in said
    assert "Pause recording" in said and "Paused for" not in said
    wait_until(lambda: spans(stage, call) == [], "the row is put right")
    assert facts_of(stage.environment, recording(stage, call))["pauses"] == []
    assert [entry[1:] for entry in audit(stage, call)] == [
        ("pause", ""),
        ("pause", "failed: Not confirmed"),
    ]
    # It can be tried again.
    assert "Paused for" in press(rita, stage, call)


def test_a_pause_of_which_only_the_answer_was_lost_is_one(
    stage: Stage, call: StandInCall, rita: FlaskClient
) -> None:
    stage.ari.fault(PAUSE, BROKEN, done=True)
    assert "Paused for" in press(rita, stage, call)
    assert len(spans(stage, call)) == 1


def test_nobody_waits_long_for_an_asterisk_that_does_not_answer(
    stage: Stage, call: StandInCall, rita: FlaskClient
) -> None:
    stage.ari.fault(PAUSE, UNANSWERED)
    began = utc_now()
    said = press(rita, stage, call)
    assert timedelta(seconds=2.9) < utc_now() - began < timedelta(seconds=10)
    assert "Not confirmed: it may still be recording." in said
    # The facts show a request that is not confirmed, or none any more.
    assert [span["at_ms"] for span in spans(stage, call)] in ([None], [])
    wait_until(lambda: spans(stage, call) == [], "the row is put right")
    assert RESUME.replace("*", call.ids["recording"]) in stage.ari.seen


def test_a_recording_that_asterisk_does_not_let_go_on_stays_paused_and_is_tried_again(
    stage: Stage, call: StandInCall, rita: FlaskClient
) -> None:
    use_settings(stage.environment, longest_pause_seconds="4")
    assert "Paused for" in press(rita, stage, call)
    stage.ari.fault(RESUME, REFUSED)
    said = press(rita, stage, call, "resume")
    assert "Not confirmed: it may still be paused." in said and "Resume recording" in said
    stage.ari.fault(RESUME, REFUSED)
    wait_until(lambda: spans(stage, call)[-1]["by_itself"], "it goes on by itself")
    assert stage.ari.paused == set()
    use_settings(stage.environment, longest_pause_seconds="120")


def test_two_people_at_once_and_a_double_click_are_one_pause(
    stage: Stage, call: StandInCall, shelf: Shelf
) -> None:
    clients = [shelf.client(name) for name in ("ada", "rita", "rita")]
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(lambda client: press(client, stage, call), clients))
    assert all("Paused for" in text for text in said)
    (span,) = spans(stage, call)
    assert span["by"] in ("ada", "rita")
    with ThreadPoolExecutor(3) as pool:
        said = list(pool.map(lambda client: press(client, stage, call, "resume"), clients))
    assert all("Recording again." in text for text in said)
    assert len(spans(stage, call)) == 1


def test_what_has_ended_and_what_there_is_not_is_said(
    stage: Stage, call: StandInCall, rita: FlaskClient
) -> None:
    call.happens("callee hangs up")
    stage.wait_for_end(call)
    assert "This recording has ended meanwhile." in press(rita, stage, call)
    assert rita.send("/recordings/nothing/pause").status_code == 404
    assert audit(stage, call) == []


def test_a_recording_that_asterisk_does_not_know_is_not_called_paused(
    stage: Stage, call: StandInCall, rita: FlaskClient
) -> None:
    stage.ari.fault(PAUSE, GONE)
    said = press(rita, stage, call)
    assert "Not confirmed" in said


def test_only_who_has_signed_in_and_pressed_the_button_of_a_page_pauses(
    stage: Stage, call: StandInCall, shelf: Shelf, rita: FlaskClient
) -> None:
    url = f"/recordings/{recording(stage, call)['uid']}/pause"
    assert rita.post(url).status_code == 400
    assert rita.get(url).status_code == 405
    stranger = shelf.app.test_client()
    assert "/login" in stranger.send(url).headers["Location"]
    assert spans(stage, call) == []


def test_a_voicemail_has_no_button_and_is_not_paused(shelf: Shelf, rita: FlaskClient) -> None:
    facts = shelf.add(None, kind="voicemail", format="ulaw", state="recording")
    said = text_of(rita.send(f"/recordings/{facts.uid}/pause", headers=HTMX))
    assert "A voicemail cannot be paused." in said
    with shelf.app.app_context():
        shelf.add(None, **{**vars(facts), "state": "failed"})


def test_without_javascript_the_page_comes_back_with_the_answer(
    stage: Stage, call: StandInCall, rita: FlaskClient
) -> None:
    row = recording(stage, call)
    pages = {"live": "/live", "call": f"/calls/{row['call_uid']}", "": f"/recordings/{row['uid']}"}
    for back, page in pages.items():
        done = rita.send(f"/recordings/{row['uid']}/pause", {"back": back})
        assert (done.status_code, done.headers["Location"]) == (303, page)
    assert "Paused: what is said now is not recorded." in text_of(rita.get("/live"))


def test_a_wish_that_makes_no_sense_harms_no_call(
    stage: Stage, call: StandInCall, rita: FlaskClient
) -> None:
    name = call.ids["recording"]
    for says in (
        {"recording": name},
        {"recording": name, "action": "erase", "by": "ada"},
        {"recording": name, "action": "pause", "by": 7},
        {"recording": "2026/11/22/another", "action": "pause", "by": "ada"},
    ):
        event = {"type": "ChannelUserevent", "eventname": "callytics-recording"}
        stage.ari.send({**event, "userevent": says})
    assert "Paused for" in press(rita, stage, call)
    assert [span["by"] for span in spans(stage, call)] == ["rita"]
