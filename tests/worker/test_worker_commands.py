"""Commands that Asterisk refuses, fails or never answers: the call ends properly or goes on."""

from itertools import count
from time import monotonic

import pytest

from callytics.ari.http import ANSWER_SECONDS
from tests.support.rows import facts_of, rows
from tests.support.stage import Stage
from tests.support.stand_in import BROKEN, GONE, REFUSED, UNANSWERED, Answer, StandInCall
from tests.support.waiting import wait_until

# Every command of a transfer, in order.
MAKE_BRIDGE = "POST bridges *"
HEAR_BRIDGE = "POST applications * subscription"
LET_RING = "POST channels * ring"
DIAL = "POST channels *"
ANSWER = "POST channels * answer"
JOIN = "POST bridges * addChannel"
RECORD = "POST bridges * record"
STOP = "POST recordings live * stop"
HANG_UP = "DELETE channels *"
REMOVE_BRIDGE = "DELETE bridges *"

# Disposition of the call, and states of its recordings, if one of them is refused or fails.
BECOMES = {
    MAKE_BRIDGE: ("failed", []),
    LET_RING: ("answered", ["available"]),
    DIAL: ("failed", []),
    # They never heard each other: there is nothing to record.
    ANSWER: ("failed", []),
    JOIN: ("failed", []),
    RECORD: ("answered", ["failed"]),
    STOP: ("answered", ["available"]),
    HANG_UP: ("answered", ["available"]),
    REMOVE_BRIDGE: ("answered", ["available"]),
}

# Each call is found by its number, and a test that is run again must not find its first call.
NUMBERS = count(20_000)


@pytest.mark.parametrize("answer", [REFUSED, BROKEN], ids=["refused", "failed"])
@pytest.mark.parametrize("command", BECOMES)
def test_a_command_that_goes_wrong_harms_no_more_than_its_call(
    stage: Stage, command: str, answer: Answer
) -> None:
    number = f"1{list(BECOMES).index(command)}{answer.status}"
    stage.ari.fault(command, answer)
    call = stage.ari.place_call(number)
    row = stage.talk(call)
    assert stage.ari.faults == []
    disposition, states = BECOMES[command]
    assert row["disposition"] == disposition
    said = f"Asterisk said {answer.status}"
    if disposition == "failed" and command != DIAL:
        assert said in row["problem"]
    recordings = stage.recordings_of(call)
    assert [recording["state"] for recording in recordings] == states
    for recording in recordings:
        assert (said in recording["state_reason"]) is (recording["state"] == "failed")
        assert facts_of(stage.environment, recording)["state"] == recording["state"]
    stage.check_that_all_is_well(f"{number}9")


@pytest.mark.parametrize("answer", [REFUSED, BROKEN], ids=["refused", "failed"])
def test_a_bridge_that_cannot_be_heard_from_its_beginning_is_used_all_the_same(
    stage: Stage, answer: Answer
) -> None:
    stage.ari.fault(HEAR_BRIDGE, answer)
    call = stage.ari.place_call(f"9{answer.status}")
    assert stage.talk(call)["disposition"] == "answered"
    assert stage.ari.faults == []
    assert [recording["state"] for recording in stage.recordings_of(call)] == ["available"]


@pytest.mark.slow
def test_a_command_that_is_never_answered_harms_no_other_call(stage: Stage) -> None:
    calls: dict[str, StandInCall] = {}
    given_up_from = monotonic() + ANSWER_SECONDS
    for command in BECOMES:
        stage.ari.fault(command, UNANSWERED, done=True)
        calls[command] = stage.ari.place_call(str(next(NUMBERS)))
        continue_into_silence(stage, calls[command])
    beside = stage.ari.place_call(str(next(NUMBERS)))
    assert stage.talk(beside)["disposition"] == "answered"
    waiting = {command: stage.has_ended(call) is None for command, call in calls.items()}
    # If all of this took longer, the worker may have given up waiting for the answers.
    if monotonic() < given_up_from:
        assert {command for command, waits in waiting.items() if not waits} <= {
            HANG_UP,
            REMOVE_BRIDGE,
        }
    for command, call in calls.items():
        row = stage.talk(call)
        assert row["disposition"] in ("answered", "failed"), command
        if row["disposition"] == "failed" and command != DIAL:
            assert "it took too long" in row["problem"], command
        for recording in stage.recordings_of(call):
            assert (
                recording["state"] == "available" or "it took too long" in recording["state_reason"]
            )
    # Asterisk did carry out the command, so the call was recorded.
    (recording,) = stage.recordings_of(calls[RECORD])
    assert recording["state"] == "available"
    stage.check_that_all_is_well("2999")


def continue_into_silence(stage: Stage, call: StandInCall) -> None:
    """Continue the call until Asterisk withholds an answer."""
    faults = stage.ari.faults
    wait_until(lambda: not faults or "leg" in call.ids, "the desk rings")
    if faults:
        call.happens("callee answers")
        wait_until(lambda: not faults or stage.is_settled(call), "they talk")
    if faults:
        call.happens("caller hangs up")
        wait_until(lambda: not faults, "its answer is held back")


@pytest.mark.parametrize("command", [LET_RING, ANSWER, JOIN])
def test_a_caller_who_is_gone_when_a_command_is_sent_has_hung_up(
    stage: Stage, command: str
) -> None:
    stage.ari.fault(command, GONE)
    call = stage.ari.place_call(f"30{list(BECOMES).index(command)}")
    if command != LET_RING:
        wait_until(lambda: "leg" in call.ids, "the desk rings")
        call.happens("callee answers")
    wait_until(lambda: not stage.ari.faults, "the command was sent")
    call.happens("caller hangs up")
    row = stage.wait_for_end(call)
    assert (row["disposition"], row["problem"]) == ("abandoned", "")
    wait_until(stage.nothing_is_left, "nothing is left")


def test_a_caller_who_is_gone_at_once_is_noticed(stage: Stage) -> None:
    # The end of a call that comes right after its start must not be lost.
    calls = [stage.ari.place_call(f"31{index}") for index in range(5)]
    for index in range(5):
        call = StandInCall(stage.ari, f"32{index}", {"caller": f"gone-at-once-{index}"})
        stage.ari.calls.append(call)
        call.happens("call")
        call.happens("caller hangs up")
        calls.append(call)
    for call in calls[:5]:
        call.happens("caller hangs up")
    for call in calls:
        row = stage.wait_for_end(call)
        assert (row["disposition"], row["problem"]) == ("abandoned", "")
    wait_until(stage.nothing_is_left, "nothing is left")


def test_events_that_come_twice_change_nothing(stage: Stage) -> None:
    stage.ari.edit = lambda after, events: [event for event in events for _ in range(2)]
    try:
        stage.check_that_all_is_well("33")
    finally:
        stage.ari.edit = lambda after, events: events
    # A second StasisStart is not a second call.
    query = "SELECT * FROM calls WHERE caller_number = '33'"
    assert len(rows(stage.environment, query)) == 1
