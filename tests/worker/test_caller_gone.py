"""Callers who leave at the wrong instant, and phones that cannot be rung: no call is in a loop."""

import json
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from tests.support.rows import rows, use_flow
from tests.support.stage import DESK, Stage
from tests.support.stand_in import BROKEN, GONE, StandInCall
from tests.support.waiting import wait_until

LINE = {"type": "queue", "queue": "team", "max_wait_seconds": 600}
TEAM = {"team": {"members": ["PJSIP/desk"], "ring_seconds": 5}}
NUMBERS = count(50_000)


@pytest.fixture(autouse=True)
def no_fault_is_left(stage: Stage) -> Iterator[None]:
    yield
    stage.ari.faults.clear()
    stage.ari.edit = lambda after, events: events


def place(stage: Stage, **nodes: dict[str, Any]) -> StandInCall:
    """Place a call to a flow of these nodes."""
    use_flow(stage.environment, nodes, queues=TEAM)
    return stage.ari.place_call(str(next(NUMBERS)))


def count_seen(stage: Stage, method: str, *begins: str) -> int:
    """Return the number of commands that begin with these words, and have one more."""
    words = " ".join((method, *begins))
    return sum(1 for said in stage.ari.seen if said.rpartition(" ")[0] == words)


def check_that_the_caller_left(
    stage: Stage, call: StandInCall, result: str = "caller_hung_up"
) -> None:
    """Wait for the end of the call, which is the caller's doing and said so in its last step."""
    row = stage.wait_for_end(call)
    assert (row["disposition"], row["problem"]) == ("abandoned", "")
    assert json.loads(str(row["path"]))[-1]["result"] == result
    wait_until(stage.nothing_is_left, "nothing is left")


@pytest.mark.parametrize("event", ["late", "lost"])
def test_a_caller_in_a_queue_who_leaves_as_the_member_comes_free_is_gone(
    stage: Stage, event: str
) -> None:
    asked = stage.ari.hold("GET deviceStates *")
    call = place(stage, line=LINE)
    wait_until(lambda: count_seen(stage, "GET", "deviceStates"), "it asks for the member's state")
    if event == "lost":
        stage.ari.edit = lambda after, events: []
        stage.ari.channels.discard(call.ids["caller"])
    else:
        call.happens("caller hangs up")
    before = count_seen(stage, "POST", "channels")
    asked.set()
    check_that_the_caller_left(stage, call)
    assert count_seen(stage, "POST", "channels") - before <= 1
    assert rows(stage.environment, "SELECT * FROM members WHERE call_uid IS NOT NULL") == []
    stage.ari.edit = lambda after, events: events


@pytest.mark.parametrize(
    "node",
    [
        DESK,
        {
            "type": "hunt_group",
            "destinations": ["PJSIP/one", "PJSIP/two", "PJSIP/three"],
            "strategy": "ordered",
        },
    ],
    ids=["transfer", "hunt_group"],
)
def test_a_caller_who_leaves_before_the_phone_rings_is_no_refusal_of_the_phone(
    stage: Stage, node: dict[str, Any]
) -> None:
    ringing = stage.ari.hold("POST channels * ring")
    call = place(stage, first=node)
    wait_until(lambda: not stage.ari.faults, "it is held")
    before = count_seen(stage, "POST", "channels")
    stage.ari.edit = lambda after, events: []
    stage.ari.channels.discard(call.ids["caller"])
    ringing.set()
    check_that_the_caller_left(stage, call)
    assert count_seen(stage, "POST", "channels") - before <= 1


def test_a_caller_who_leaves_while_phones_refuse_is_noticed(stage: Stage) -> None:
    for _ in range(20):
        stage.ari.fault("POST channels *", BROKEN)
    held = stage.ari.hold("POST channels *")
    stage.ari.faults.insert(0, stage.ari.faults.pop())
    phones = [f"PJSIP/phone{number}" for number in range(10)]
    call = place(stage, first={"type": "hunt_group", "destinations": phones, "strategy": "ordered"})
    wait_until(lambda: len(stage.ari.faults) == 20, "the first is rung")
    call.happens("callee is busy")
    call.happens("caller hangs up")
    held.set()
    check_that_the_caller_left(stage, call)


def test_a_member_who_cannot_be_rung_is_tried_once_a_second(stage: Stage) -> None:
    for _ in range(2000):
        stage.ari.fault("POST channels *", BROKEN)
    call = place(stage, line=LINE)
    wait_until(lambda: len(stage.ari.faults) < 2000, "the member is rung")
    time.sleep(3)
    tries = 2000 - len(stage.ari.faults)
    assert 2 <= tries <= 6
    call.happens("caller hangs up")
    check_that_the_caller_left(stage, call)


def test_a_flow_that_goes_round_without_waiting_has_a_pause(stage: Stage) -> None:
    for _ in range(2000):
        stage.ari.fault("POST channels * play *", BROKEN)
    call = place(stage, again={"type": "play_audio", "media": "sound:none", "next": "again"})
    wait_until(lambda: len(stage.ari.faults) < 2000, "the prompt is asked for")
    time.sleep(2)
    tries = 2000 - len(stage.ari.faults)
    assert 2 <= tries <= 10
    call.happens("caller hangs up")
    check_that_the_caller_left(stage, call, "unplayable")


def test_a_prompt_that_is_refused_because_the_caller_left_ends_the_call(stage: Stage) -> None:
    stage.ari.edit = lambda after, events: [] if "play" in after else events
    stage.ari.fault("POST channels * play *", GONE)
    node = {"type": "play_audio", "media": "sound:none", "next": "desk"}
    held = stage.ari.hold("POST channels * answer")
    call = place(stage, prompt=node, desk=DESK)
    wait_until(lambda: len(stage.ari.faults) == 1, "it is answered")
    stage.ari.channels.discard(call.ids["caller"])
    held.set()
    check_that_the_caller_left(stage, call)
