"""Recordings whose events come late, twice or never, or whose file is missing or ends early."""

from collections.abc import Iterator

import pytest

from tests.support.rows import audio_of, facts_of
from tests.support.stage import Stage
from tests.support.stand_in import Event
from tests.support.tones import seconds_heard
from tests.support.waiting import wait_until


@pytest.fixture(autouse=True)
def well_again(stage: Stage, request: pytest.FixtureRequest) -> Iterator[None]:
    """Check that the next call is recorded, after any fault."""
    yield
    stage.ari.edit = lambda after, events: events
    stage.ari.writes_files = True
    stage.check_that_all_is_well(f"well after {request.node.name}")


def drop(kind: str) -> object:
    """Return an editor that drops every event of this type."""
    return lambda after, events: [event for event in events if event["type"] != kind]


@pytest.mark.parametrize("lost", ["RecordingStarted", "RecordingFinished"])
def test_a_lost_event_is_asked_for_and_the_recording_kept_whole(stage: Stage, lost: str) -> None:
    stage.ari.edit = drop(lost)
    call = stage.ari.place_call(f"lost {lost}")
    wait_until(lambda: "leg" in call.ids, "the desk rings")
    call.happens("callee answers")
    wait_until(lambda: (stage.call_row(call) or {}).get("answered_at"), "they talk")
    wait_until(lambda: call.ids.get("recording") in stage.ari.live, "it is recorded")
    call.happens("caller hangs up")
    assert stage.wait_for_end(call)["disposition"] == "answered"
    (recording,) = stage.recordings_of(call)
    assert (recording["state"], recording["state_reason"]) == ("available", "")
    assert recording["size_bytes"] == audio_of(stage.environment, recording).stat().st_size
    # Asterisk had closed the file before the worker read it.
    assert stage.ari.live == {}


def test_an_end_that_is_told_before_the_beginning_is_an_end(stage: Stage) -> None:
    held: list[Event] = []

    def swap(after: str, events: list[Event]) -> list[Event]:
        if after.endswith("record") and not held:
            held.extend(events)
            return []
        return [*events, *held] if after.endswith("stop") else events

    stage.ari.edit = swap
    call = stage.ari.place_call("swapped")
    wait_until(lambda: "leg" in call.ids, "the desk rings")
    call.happens("callee answers")
    wait_until(lambda: call.ids.get("recording") in stage.ari.live, "it is recorded")
    first = call.ids["recording"]
    call.recording_ends_by_itself()
    wait_until(lambda: call.ids["recording"] != first, "the next one begins")
    wait_until(lambda: len(stage.recordings_of(call)) == 2, "it has a row")
    call.happens("caller hangs up")
    assert stage.wait_for_end(call)["problem"] == ""
    for recording in stage.recordings_of(call):
        assert (recording["state"], recording["state_reason"]) == ("available", "")
        assert facts_of(stage.environment, recording)["state"] == "available"


def test_a_recording_that_ends_by_itself_is_followed_by_another(stage: Stage) -> None:
    call = stage.ari.place_call("segments")
    stage.connect(call)
    first = call.ids["recording"]
    audio = stage.ari.recordings / f"{first}.wav"
    call.recording_ends_by_itself()
    wait_until(lambda: call.ids["recording"] != first, "the next one begins")
    assert seconds_heard(audio, 440) >= 0
    wait_until(lambda: call.ids["recording"] in stage.ari.live, "it goes on")
    call.happens("callee hangs up")
    row = stage.wait_for_end(call)
    assert (row["disposition"], row["problem"]) == ("answered", "")
    both = stage.recordings_of(call)
    assert [recording["state"] for recording in both] == ["available", "available"]
    assert {recording["call_uid"] for recording in both} == {row["uid"]}


def test_a_file_that_never_comes_is_said_and_the_call_goes_on(stage: Stage) -> None:
    stage.ari.writes_files = False
    call = stage.ari.place_call("no file")
    stage.connect(call)
    call.recording_ends_by_itself()
    (recording,) = wait_until(
        lambda: [r for r in stage.recordings_of(call) if r["state"] == "failed"], "it has failed"
    )
    assert recording["state_reason"] == "Asterisk wrote no file"
    # Nobody is hung up for it, and no other recording is started.
    assert {call.ids["caller"], call.ids["leg"]} <= stage.ari.channels
    assert stage.has_ended(call) is None
    call.happens("caller hangs up")
    row = stage.wait_for_end(call)
    assert row["disposition"] == "answered"
    assert "Asterisk wrote no file" in row["problem"]
    assert len(stage.recordings_of(call)) == 1


def test_events_of_a_recording_that_come_twice_are_taken_once(stage: Stage) -> None:
    stage.ari.edit = lambda after, events: [event for event in events for _ in range(2)]
    call = stage.ari.place_call("twice")
    stage.connect(call)
    first = call.ids["recording"]
    call.recording_ends_by_itself()
    wait_until(lambda: call.ids["recording"] != first, "the next one begins")
    call.happens("caller hangs up")
    stage.wait_for_end(call)
    states = [recording["state"] for recording in stage.recordings_of(call)]
    assert states == ["available", "available"]
