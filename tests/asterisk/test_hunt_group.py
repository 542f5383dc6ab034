"""The Hunt Group node on a real Asterisk."""

import pytest

from tests.support.asterisk import AsteriskServer
from tests.support.processes import Worker
from tests.support.rows import audio_of, ended_calls, recordings, recordings_in, use_flow
from tests.support.tones import HEARD_DB, loudest_db
from tests.support.waiting import wait_until

Env = dict[str, str]


def hunt(*parties: str, strategy: str = "simultaneous", **more: object) -> dict[str, object]:
    """A node that rings these parties of the test dialplan and records."""
    destinations = [f"Local/{party}@party/n" for party in parties]
    node = {"type": "hunt_group", "destinations": destinations, "strategy": strategy}
    return {**node, "ring_seconds": 3, "record_call": True, **more}


def ringing(asterisk: AsteriskServer, party: str) -> bool:
    """Return True if our leg to this party exists and is not answered."""
    return any(
        channel["name"].startswith(f"Local/{party}@party") and channel["state"] != "Up"
        for channel in asterisk.channels()
    )


def test_the_first_to_answer_wins_and_the_others_stop_ringing(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"team": hunt("never", "tone1000_1", "tone1600_9", ring_seconds=20)})
    call = asterisk.place_call("1000", "tone440")
    wait_until(lambda: ringing(asterisk, "never"), "the first rings")
    (recording,) = recordings_in(live_env, "recording")
    wait_until(lambda: not ringing(asterisk, "never"), "the others stop ringing")
    assert not ringing(asterisk, "tone1600_9")
    audio = audio_of(live_env, recording)
    wait_until(lambda: audio.exists() and audio.stat().st_size > 30_000, "audio")
    call.hang_up()
    (recording,) = recordings_in(live_env, "available")
    levels = loudest_db(audio, (440, 1000, 1600))
    assert levels[440] > HEARD_DB
    assert levels[1000] > HEARD_DB
    assert levels[1600] < HEARD_DB
    assert recording["kind"] == "hunt_group"
    assert recording["callee"] == "Local/tone1000_1@party/n"


def test_of_two_who_answer_in_the_same_instant_one_is_let_go(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"team": hunt("tone1000", "tone1600")})
    call = asterisk.place_call("1000", "tone440")
    (recording,) = recordings_in(live_env, "recording")
    # The caller's two channels and the winner's two.
    wait_until(lambda: len(asterisk.channels()) == 4, "the second is let go")
    audio = audio_of(live_env, recording)
    wait_until(lambda: audio.exists() and audio.stat().st_size > 30_000, "audio")
    call.hang_up()
    recordings_in(live_env, "available")
    levels = loudest_db(audio, (1000, 1600))
    assert sum(level > HEARD_DB for level in levels.values()) == 1
    wait_until(lambda: not asterisk.channels(), "nobody is left on a line")


@pytest.mark.parametrize("strategy", ["ordered", "random"])
def test_one_after_the_other_goes_on_past_those_who_do_not_answer(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker, strategy: str
) -> None:
    parties = ("busy", "refuse", "unknown", "absent", "tone1000__1")
    use_flow(live_env, {"team": hunt(*parties, strategy=strategy)})
    asterisk.place_call("1000", "tone440")
    (ended,) = ended_calls(live_env)
    assert ended["disposition"] == "answered"
    assert ended["callee"] == "Local/tone1000__1@party/n"
    (recording,) = recordings_in(live_env, "available")
    assert recording["callee"] == "Local/tone1000__1@party/n"


@pytest.mark.parametrize(
    ("parties", "result"),
    [(("busy", "unknown"), "busy"), (("never", "busy"), "no_answer"), (("refuse",), "refused")],
)
def test_nobody_answers_and_the_most_hopeful_result_is_told(
    asterisk: AsteriskServer,
    live_env: Env,
    worker_process: Worker,
    parties: tuple[str, ...],
    result: str,
) -> None:
    use_flow(live_env, {"team": hunt(*parties, ring_seconds=1)})
    asterisk.place_call("1000", "tone440")
    (ended,) = ended_calls(live_env)
    assert ended["path"][0]["result"] == result
    assert recordings(live_env) == []


def test_a_winner_who_hangs_up_at_once_ends_the_call_in_order(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"team": hunt("gone_at_once", "never", ring_seconds=2)})
    asterisk.place_call("1000", "tone440")
    (ended,) = ended_calls(live_env)
    assert ended["path"][0]["result"] in ("answered", "hung_up")
    wait_until(lambda: not asterisk.channels(), "nobody is left on a line")
    wait_until(lambda: not asterisk.bridges(), "its bridge is removed")
    assert all(row["state"] in ("available", "failed") for row in recordings(live_env))
    assert all(row["state_reason"] for row in recordings(live_env) if row["state"] == "failed")
