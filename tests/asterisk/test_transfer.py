"""The Transfer node on a real Asterisk: who is joined, who is heard, how it ends."""

import pytest

from tests.support.asterisk import AsteriskServer
from tests.support.processes import Worker
from tests.support.rows import (
    audio_of,
    calls,
    ended_calls,
    facts_of,
    recordings,
    recordings_in,
    use_flow,
)
from tests.support.tones import HEARD_DB, loudest_db, seconds_heard
from tests.support.waiting import wait_until

CALLER, CALLEE, PROMPT = 440, 1000, 700
Env = dict[str, str]


def transfer(destination: str, **more: object) -> dict[str, object]:
    """A node that rings `destination` of the test dialplan and records."""
    node = {"type": "transfer", "destination": f"Local/{destination}@party/n"}
    return {**node, "ring_seconds": 20, "record_call": True, **more}


def test_both_parties_are_heard_in_the_recording_and_the_prompt_is_not(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    prompt = asterisk.add_tone(PROMPT, 1.0)
    greeting = {"type": "play_audio", "media": prompt, "next": "desk"}
    use_flow(live_env, {"greeting": greeting, "desk": transfer(f"tone{CALLEE}_1")})
    call = asterisk.place_call("1000", f"tone{CALLER}", caller_number="15550100")

    (recording,) = recordings_in(live_env, "recording")
    audio = audio_of(live_env, recording)
    wait_until(lambda: audio.exists() and audio.stat().st_size > 40_000, "two seconds of audio")
    call.hang_up()

    (recording,) = recordings_in(live_env, "available")
    levels = loudest_db(audio, (CALLER, CALLEE, PROMPT))
    assert levels[CALLER] > HEARD_DB
    assert levels[CALLEE] > HEARD_DB
    assert levels[PROMPT] < HEARD_DB
    assert seconds_heard(audio, CALLEE) > 1.5
    assert recording["size_bytes"] == audio.stat().st_size
    assert recording["duration_ms"] == (audio.stat().st_size - 44) * 1000 // 16000
    assert recording["state_reason"] == ""
    assert recording["kind"] == "transfer"
    assert recording["direction"] == "inbound"
    assert recording["caller_number"] == "15550100"
    assert recording["caller_name"] == "Ann Example"
    assert recording["dialed_number"] == "1000"
    assert recording["callee"] == f"Local/tone{CALLEE}_1@party/n"
    assert (recording["flow"], recording["node"]) == ("main", "desk")
    facts = facts_of(live_env, recording)
    shared = ("uid", "state", "duration_ms", "size_bytes", "path", "caller_name", "call_uid")
    assert {key: facts[key] for key in shared} == {key: recording[key] for key in shared}


def test_the_callee_hangs_up_and_the_caller_is_let_go(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"desk": transfer(f"tone{CALLEE}__1")})
    call = asterisk.place_call("1000", f"tone{CALLER}")
    (ended,) = ended_calls(live_env)
    wait_until(lambda: not call.is_up(), "the caller is let go")
    wait_until(lambda: not asterisk.bridges(), "its bridge is removed")
    (recording,) = recordings_in(live_env, "available")
    assert ended["disposition"] == "answered"
    assert ended["path"][0]["result"] == "answered"
    assert recording["call_uid"] == ended["uid"]


@pytest.mark.parametrize(
    ("party", "result"),
    [
        ("busy", "busy"),
        ("refuse", "refused"),
        ("absent", "unreachable"),
        ("never", "no_answer"),
        ("unknown", "unreachable"),
    ],
)
def test_a_destination_that_does_not_answer_leads_to_next(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker, party: str, result: str
) -> None:
    second = transfer(f"tone{CALLEE}__1", record_call=False)
    use_flow(live_env, {"first": transfer(party, ring_seconds=1, next="second"), "second": second})
    asterisk.place_call("1000", f"tone{CALLER}")
    (ended,) = ended_calls(live_env)
    assert [step["result"] for step in ended["path"]] == [result, "answered"]
    assert recordings(live_env) == []


def test_without_a_next_the_call_is_hung_up(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"desk": transfer("busy")})
    call = asterisk.place_call("1000", f"tone{CALLER}")
    (ended,) = ended_calls(live_env)
    wait_until(lambda: not call.is_up(), "the caller is let go")
    assert ended["disposition"] == "busy"
    wait_until(lambda: not asterisk.bridges(), "its bridge is removed")


def test_record_call_off_leaves_no_recording(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"desk": transfer(f"tone{CALLEE}__1", record_call=False)})
    asterisk.place_call("1000", f"tone{CALLER}")
    (ended,) = ended_calls(live_env)
    assert ended["disposition"] == "answered"
    assert recordings(live_env) == []


def test_a_caller_who_hangs_up_while_it_rings_leaves_nothing_behind(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"desk": transfer("never")})
    call = asterisk.place_call("1000", f"tone{CALLER}")
    wait_until(lambda: calls(live_env), "the call has begun")
    wait_until(lambda: len(asterisk.channels()) >= 4, "the desk rings")
    call.hang_up()
    (ended,) = ended_calls(live_env)
    assert ended["disposition"] == "abandoned"
    wait_until(lambda: not asterisk.channels(), "nobody is left on a line")
    assert recordings(live_env) == []
    wait_until(lambda: not asterisk.bridges(), "its bridge is removed")
