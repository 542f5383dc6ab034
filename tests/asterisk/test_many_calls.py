"""Many calls at once: each row tells of its own call, each file holds its own voices."""

from tests.support.asterisk import AsteriskServer
from tests.support.processes import Worker
from tests.support.rows import audio_of, ended_calls, recordings, recordings_in, use_flow
from tests.support.tones import HEARD_DB, loudest_db
from tests.support.waiting import wait_until

Env = dict[str, str]
COUNT = 30


def test_thirty_calls_at_once_are_told_apart(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    desk = {"type": "transfer", "destination": "Local/silent@party/n", "record_call": True}
    use_flow(live_env, {"desk": desk})
    tones = {f"155501{n:02}": 400 + 50 * n for n in range(COUNT)}
    placed = [
        asterisk.place_call("1000", f"tone{hertz}", caller_number=number)
        for number, hertz in tones.items()
    ]
    live = recordings_in(live_env, "recording", COUNT)
    for row in live:
        audio = audio_of(live_env, row)
        wait_until(lambda a=audio: a.exists() and a.stat().st_size > 32_000, "two seconds")
    for call in placed:
        call.hang_up()
    ended = {call["uid"]: call for call in ended_calls(live_env, COUNT)}
    found = recordings_in(live_env, "available", COUNT)
    assert len({row["path"] for row in found}) == COUNT
    for row in found:
        assert ended[row["call_uid"]]["caller_number"] == row["caller_number"]
        own = tones[row["caller_number"]]
        levels = loudest_db(audio_of(live_env, row), (own, own + 150, own - 150))
        assert levels.pop(own) > HEARD_DB
        assert max(levels.values()) < HEARD_DB
    assert sorted(row["caller_number"] for row in found) == sorted(tones)
    wait_until(lambda: not asterisk.channels(), "nobody is left on a line")
    wait_until(lambda: not asterisk.bridges(), "its bridge is removed")


def test_a_caller_who_hangs_up_in_the_instant_of_answer_leaves_nothing_open(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    desk = {"type": "transfer", "destination": "Local/tone1000@party/n", "record_call": True}
    use_flow(live_env, {"desk": desk})
    for count in range(1, 11):
        call = asterisk.place_call("1000", "tone440")
        # The callee answers at once, so each hang-up falls into another step of the joining.
        wait_until(lambda: len(asterisk.channels()) >= 3, "the desk is rung")
        call.hang_up()
        ended_calls(live_env, count)
    wait_until(lambda: not asterisk.channels(), "nobody is left on a line")
    wait_until(lambda: not asterisk.bridges(), "its bridge is removed")
    assert "Traceback" not in worker_process.log.read_text()
    assert [row for row in recordings(live_env) if row["ended_at"] is None] == []
