"""Calls that a phone transfers: the recording goes on with whoever speaks next."""

from pathlib import Path

import pytest

from tests.support.asterisk import AsteriskServer
from tests.support.processes import Worker
from tests.support.rows import (
    audio_of,
    calls,
    ended_calls,
    recordings,
    recordings_in,
    rows,
    use_flow,
    use_settings,
)
from tests.support.sipp import Phone, Phones
from tests.support.tones import HEARD_DB, loudest_db, seconds_heard, spans_heard
from tests.support.waiting import wait_until

CALLER, DESK, CAROL, ASIDE = 440, 1000, 1600, 700
SECOND = 16_000  # bytes of a .wav
Env = dict[str, str]


@pytest.fixture
def desk(phones: Phones, live_env: Env) -> Phone:
    """The phone behind number 1000, whose calls are recorded."""
    node = {"type": "transfer", "destination": "PJSIP/desk", "record_call": True}
    use_flow(live_env, {"desk": node})
    return phones.callee("desk", DESK)


def hear_more(environment: Env, seconds: float = 0.8) -> Path:
    """The one recording, which goes on, once it holds so much more than now."""
    (recording,) = recordings_in(environment, "recording")
    audio = audio_of(environment, recording)
    before = audio.stat().st_size if audio.exists() else 0
    wait_until(lambda: audio.exists() and audio.stat().st_size > before + seconds * SECOND, "audio")
    (recording,) = recordings(environment)
    assert recording["state"] == "recording"
    return audio


def one_after_the_other(audio: Path, first: int, second: int) -> None:
    """Both are heard, and the second only when the first has ended."""
    assert seconds_heard(audio, first) > 0.3
    assert seconds_heard(audio, second) > 0.3
    assert spans_heard(audio, first)[-1][1] <= spans_heard(audio, second)[0][0] + 0.2


def over(environment: Env, asterisk: AsteriskServer) -> None:
    """The call and its recording have ended, once, and nobody is left on a line."""
    (ended,) = ended_calls(environment)
    (recording,) = recordings(environment)
    assert (recording["state"], recording["state_reason"]) == ("available", "")
    assert recording["callee"] == ended["callee"] == "PJSIP/desk"
    assert ended["disposition"] == "answered"
    wait_until(lambda: not asterisk.channels(), "nobody is left on a line")
    wait_until(lambda: not asterisk.bridges(), "its bridge is removed")


@pytest.mark.parametrize("manner", ["polite", "hurry"])
def test_the_callee_sends_the_caller_on_and_the_recording_goes_on(
    phones: Phones, live_env: Env, desk: Phone, manner: str
) -> None:
    carol = phones.callee("carol", CAROL)
    caller = phones.caller("1000", "15550100", CALLER)
    desk.answer()
    hear_more(live_env)
    desk.transfer("carol@127.0.0.1", manner)
    desk.wait_for("BYE")
    assert "15550100@" in carol.wait_for("INVITE").header("From")
    carol.answer()
    audio = hear_more(live_env)
    caller.hang_up()
    carol.wait_for("BYE")
    over(live_env, phones.asterisk)
    one_after_the_other(audio, DESK, CAROL)
    assert spans_heard(audio, CALLER)[-1][1] > spans_heard(audio, CAROL)[-1][1] - 0.5


def test_the_caller_sends_the_callee_on_and_a_new_worker_goes_on_with_it(
    phones: Phones, live_env: Env, desk: Phone, worker_process: Worker
) -> None:
    carol = phones.callee("carol", CAROL)
    caller = phones.caller("1000", "alice", CALLER)
    desk.answer()
    hear_more(live_env)
    caller.transfer("carol@127.0.0.1")
    caller.wait_for("BYE")
    carol.answer()
    hear_more(live_env)
    worker_process.kill()
    worker_process.start()
    audio = hear_more(live_env)
    carol.hang_up()
    desk.wait_for("BYE")
    over(live_env, phones.asterisk)
    one_after_the_other(audio, CALLER, CAROL)
    assert seconds_heard(audio, DESK) > seconds_heard(audio, CAROL)


def test_the_callee_asks_a_colleague_first_and_then_joins_them(
    phones: Phones, live_env: Env, desk: Phone
) -> None:
    carol = phones.callee("carol", CAROL)
    caller = phones.caller("1000", "15550100", CALLER)
    desk.answer()
    hear_more(live_env)
    aside = phones.caller("carol", "desk", ASIDE)
    carol.answer()
    desk.transfer(aside.as_replaced())
    for line in (aside, desk):
        line.wait_for("BYE")
    audio = hear_more(live_env)
    carol.hang_up()
    caller.wait_for("BYE")
    over(live_env, phones.asterisk)
    one_after_the_other(audio, DESK, CAROL)
    # What was said aside is not the caller's.
    assert loudest_db(audio, [ASIDE])[ASIDE] < HEARD_DB


def test_the_callee_joins_the_caller_with_a_number_outside_and_both_are_recorded(
    phones: Phones, live_env: Env, desk: Phone
) -> None:
    use_settings(live_env, outbound_endpoint="PJSIP/{number}@trunk", record_outbound_calls="true")
    outside = phones.callee("trunk", CAROL)
    caller = phones.caller("1000", "15550100", CALLER)
    desk.answer()
    hear_more(live_env)
    aside = phones.caller("+15550123", "desk", ASIDE)
    outside.answer()
    recordings_in(live_env, "recording", 2)
    desk.transfer(aside.as_replaced())
    for line in (aside, desk):
        line.wait_for("BYE")
    inbound, outbound = (audio_of(live_env, row) for row in recordings(live_env))
    so_far = outbound.stat().st_size
    wait_until(lambda: outbound.stat().st_size > so_far + SECOND, "audio")
    caller.hang_up()
    outside.wait_for("BYE")
    assert {call["disposition"] for call in ended_calls(live_env, 2)} == {"answered"}
    assert len(recordings_in(live_env, "available", 2)) == len(recordings(live_env)) == 2
    one_after_the_other(inbound, DESK, CAROL)
    one_after_the_other(outbound, ASIDE, CALLER)
    wait_until(lambda: not phones.asterisk.channels(), "nobody is left on a line")


def test_a_transfer_to_nobody_leaves_the_call_as_it_was(
    phones: Phones, live_env: Env, desk: Phone
) -> None:
    caller = phones.caller("1000", "15550100", CALLER)
    desk.answer()
    hear_more(live_env)
    desk.transfer("nobody@127.0.0.1")
    wait_until(lambda: "404 Not Found" in desk.messages("NOTIFY")[-1].text, "the phone is told")
    audio = hear_more(live_env)
    desk.hang_up()
    caller.wait_for("BYE")
    over(live_env, phones.asterisk)
    assert spans_heard(audio, DESK)[-1][1] > 1.5


def test_a_transfer_to_a_phone_that_is_busy_ends_the_call_in_order(
    phones: Phones, live_env: Env, desk: Phone
) -> None:
    carol = phones.callee("carol", CAROL)
    caller = phones.caller("1000", "15550100", CALLER)
    desk.answer()
    hear_more(live_env)
    desk.transfer("carol@127.0.0.1")
    carol.refuse("busy")
    caller.wait_for("BYE")
    over(live_env, phones.asterisk)


def test_a_member_of_a_queue_is_free_when_they_sent_the_caller_on(
    phones: Phones, live_env: Env
) -> None:
    node = {"type": "queue", "queue": "team", "record_call": True}
    queue = {"members": ["PJSIP/desk"], "ring_seconds": 20, "strategy": "longest_idle"}
    use_flow(live_env, {"line": node}, queues={"team": queue})
    desk, carol = phones.callee("desk", DESK), phones.callee("carol", CAROL)
    first = phones.caller("1000", "15550101", CALLER)
    desk.answer()
    hear_more(live_env, 0.2)
    phones.caller("1000", "15550102", CALLER)
    wait_until(lambda: rows(live_env, "SELECT * FROM waiting"), "the second waits")
    next_at_desk = phones.callee("desk", DESK)
    # Until Asterisk is rid of the call that this phone forgets to end, it takes it for in use.
    desk.transfer("carol@127.0.0.1", "stay")
    next_at_desk.answer()
    carol.answer()
    wait_until(lambda: sum(bool(call["answered_at"]) for call in calls(live_env)) == 2, "both talk")
    assert not any(call["ended_at"] for call in calls(live_env))
    first.hang_up()
    carol.wait_for("BYE")
    (ended,) = ended_calls(live_env)
    assert ended["caller_number"] == "15550101"
