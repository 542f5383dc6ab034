"""Death of the worker during calls: people go on talking, and no audio or row is lost."""

import shutil
import sqlite3
from contextlib import closing
from itertools import pairwise
from pathlib import Path

from tests.support.asterisk import AsteriskServer
from tests.support.counted import HoldingDoor
from tests.support.processes import Worker
from tests.support.rows import (
    audio_of,
    calls,
    ended_calls,
    recordings,
    recordings_in,
    rows,
    use_flow,
)
from tests.support.said import wait_for_line
from tests.support.tones import HEARD_DB, loudest_db, seconds_heard, spans_heard
from tests.support.waiting import wait_until

Env = dict[str, str]


def transfer(party: str) -> dict[str, object]:
    """Return a transfer to this party that is recorded."""
    return {"type": "transfer", "destination": f"Local/{party}@party/n", "record_call": True}


def wait_to_grow(audio: Path, size: int) -> None:
    """Wait until the file has grown past `size` bytes."""
    wait_until(lambda: audio.exists() and audio.stat().st_size > size, "the file grows")


def forget_journal(environment: Env) -> None:
    """Remove all calls from the journal, as if the disk had been full when they began."""
    shutil.rmtree(Path(environment["RECORDINGS_DIR"]) / ".calls")


def forget_calls(environment: Env) -> None:
    """Remove the rows of all calls, as if the database had been away when they began."""
    with closing(sqlite3.connect(environment["DATABASE_URL"].removeprefix("sqlite:///"))) as ledger:
        ledger.execute("DELETE FROM calls")
        ledger.commit()


def one_row(environment: Env, state: str) -> dict[str, object]:
    """Wait for the only recording to be in this state, and return its row."""
    (row,) = recordings_in(environment, state)
    return row


def check_that_the_desk_rings_anew(asterisk: AsteriskServer, worker: Worker) -> None:
    """Start the next worker; it rings the desk in place of the one that died."""
    before = {channel["id"] for channel in asterisk.channels()}
    worker.start()
    wait_until(
        lambda: len({channel["id"] for channel in asterisk.channels()} - before) == 2,
        "the desk rings anew",
    )
    wait_until(lambda: len(asterisk.channels()) == 4, "and no longer for the worker that died")


def check_that_one_call_was_abandoned(environment: Env) -> None:
    """Check that there was one call, which was abandoned."""
    (ended,) = ended_calls(environment)
    assert ended["disposition"] == "abandoned"
    assert len(calls(environment)) == 1


def test_a_conversation_goes_on_and_its_recording_ends_complete(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"desk": transfer("tone1000")})
    call = asterisk.place_call("1000", "tone440")
    audio = audio_of(live_env, one_row(live_env, "recording"))
    wait_to_grow(audio, 20_000)
    worker_process.kill()
    size = audio.stat().st_size
    wait_to_grow(audio, size + 30_000)
    worker_process.start()
    wait_to_grow(audio, audio.stat().st_size + 20_000)
    call.hang_up()
    (ended,) = ended_calls(live_env)
    row = one_row(live_env, "available")
    assert row["state_reason"] == ""
    assert row["call_uid"] == ended["uid"]
    # No gap while the worker was away.
    for hertz in (440, 1000):
        gaps = [b[0] - a[1] for a, b in pairwise(spans_heard(audio, hertz))]
        # A busy machine may lose some frames; the worker was away for seconds.
        assert max(gaps, default=0) < 0.5
        assert seconds_heard(audio, hertz) > 3.5
    assert ended["disposition"] == "answered"
    assert [step["result"] for step in ended["path"]] == ["answered"]
    assert len(calls(live_env)) == 1
    wait_until(lambda: not asterisk.bridges(), "its bridge is removed")
    assert list((audio.parents[3] / ".calls").glob("**/*.json")) == []


def test_a_call_that_ended_meanwhile_is_completed_from_its_file(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"desk": transfer("tone1000")})
    call = asterisk.place_call("1000", "tone440")
    audio = audio_of(live_env, one_row(live_env, "recording"))
    wait_to_grow(audio, 30_000)
    worker_process.kill()
    call.hang_up()
    wait_until(lambda: not call.is_up(), "the caller is gone")
    worker_process.start()
    row = one_row(live_env, "available")
    assert row["duration_ms"] == (audio.stat().st_size - 44) // 16
    (ended,) = ended_calls(live_env)
    assert ended["disposition"] == "answered"
    wait_until(lambda: not asterisk.bridges() and not asterisk.channels(), "all is tidied up")


def test_a_call_that_rang_is_rung_again_and_recorded(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    node = {**transfer("never"), "ring_seconds": 300}
    use_flow(live_env, {"desk": node})
    call = asterisk.place_call("1000", "tone440")
    wait_until(lambda: len(asterisk.channels()) >= 4, "the desk rings")
    worker_process.kill()
    check_that_the_desk_rings_anew(asterisk, worker_process)
    call.hang_up()
    check_that_one_call_was_abandoned(live_env)


def test_a_caller_who_hangs_up_while_the_next_worker_asks_is_noticed(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker, tmp_path: Path
) -> None:
    use_flow(live_env, {"desk": transfer("tone1000")})
    call = asterisk.place_call("1000", "tone440")
    audio = audio_of(live_env, one_row(live_env, "recording"))
    wait_to_grow(audio, 20_000)
    worker_process.kill()
    with HoldingDoor(asterisk.http_port, b"GET /ari/recordings/live/") as door:
        environment = {**live_env, "ARI_URL": f"http://127.0.0.1:{door.port}/ari"}
        with Worker(environment, tmp_path):
            wait_until(lambda: door.count, "it asks for the recording")
            call.hang_up()
            wait_until(lambda: not call.is_up(), "the caller is gone")
            door.open()
            (ended,) = ended_calls(live_env)
            assert (ended["disposition"], ended["problem"]) == ("answered", "")
            assert one_row(live_env, "available")["state_reason"] == ""
            wait_until(lambda: not asterisk.bridges() and not asterisk.channels(), "all is tidy")


def test_a_conversation_without_its_journal_goes_on_and_its_recording_ends_complete(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    node = {"type": "queue", "queue": "team", "record_call": True}
    member = "Local/tone1000@party/n"
    use_flow(live_env, {"line": node}, queues={"team": {"members": [member]}})
    call = asterisk.place_call("1000", "tone440")
    audio = audio_of(live_env, one_row(live_env, "recording"))
    wait_to_grow(audio, 20_000)
    (before,) = calls(live_env)
    worker_process.kill()
    forget_journal(live_env)
    worker_process.start()
    wait_for_line(worker_process.log, "is adopted")
    wait_to_grow(audio, audio.stat().st_size + 20_000)
    (bridge,) = asterisk.bridges()
    assert len(bridge["channels"]) == 2
    busy = "SELECT call_uid FROM members WHERE call_uid IS NOT NULL"
    assert rows(live_env, busy) == [{"call_uid": before["uid"]}]
    call.hang_up()
    (ended,) = ended_calls(live_env)
    row = one_row(live_env, "available")
    assert (row["state_reason"], row["call_uid"]) == ("", ended["uid"])
    for key in ("uid", "started_at", "answered_at", "callee", "caller_number"):
        assert ended[key] == before[key]
    assert (ended["disposition"], ended["problem"]) == ("answered", "")
    assert [step["result"] for step in ended["path"]] == ["answered"]
    for hertz in (440, 1000):
        gaps = [b[0] - a[1] for a, b in pairwise(spans_heard(audio, hertz))]
        assert max(gaps, default=0) < 0.5
    wait_until(lambda: not asterisk.bridges() and not asterisk.channels(), "all is tidied up")
    assert rows(live_env, busy) == []


def test_a_conversation_that_neither_journal_nor_flow_nor_ledger_knows_is_led_to_its_end(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"desk": transfer("tone1000")})
    call = asterisk.place_call("1000", "tone440")
    audio = audio_of(live_env, one_row(live_env, "recording"))
    wait_to_grow(audio, 20_000)
    worker_process.kill()
    forget_journal(live_env)
    use_flow(live_env, {"other": transfer("tone1600")})
    (before,) = calls(live_env)
    forget_calls(live_env)
    worker_process.start()
    wait_for_line(worker_process.log, "is adopted")
    wait_to_grow(audio, audio.stat().st_size + 20_000)
    call.hang_up()
    (ended,) = ended_calls(live_env)
    assert (ended["uid"], ended["disposition"]) == (before["uid"], "answered")
    assert ended["caller_number"] == before["caller_number"]
    assert one_row(live_env, "available")["state_reason"] == ""
    wait_until(lambda: not asterisk.bridges() and not asterisk.channels(), "all is tidied up")


def test_a_call_that_rang_without_its_journal_is_rung_again(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"desk": {**transfer("never"), "ring_seconds": 300}})
    call = asterisk.place_call("1000", "tone440")
    wait_until(lambda: len(asterisk.channels()) >= 4, "the desk rings")
    worker_process.kill()
    forget_journal(live_env)
    check_that_the_desk_rings_anew(asterisk, worker_process)
    call.hang_up()
    check_that_one_call_was_abandoned(live_env)


def test_a_message_goes_on_being_taken(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    greeting = asterisk.add_tone(700, 0.5)
    use_flow(live_env, {"message": {"type": "voicemail", "greeting": greeting}})
    call = asterisk.place_call("1000", "tone440")
    audio = audio_of(live_env, one_row(live_env, "recording"))
    wait_to_grow(audio, 8_000)
    worker_process.kill()
    worker_process.start()
    wait_to_grow(audio, audio.stat().st_size + 8_000)
    call.hang_up()
    (ended,) = ended_calls(live_env)
    row = one_row(live_env, "available")
    assert ended["path"][0]["result"] == "message"
    assert row["duration_ms"] == audio.stat().st_size // 8
    assert len(recordings(live_env)) == 1


def test_callers_in_a_queue_wait_on_in_their_old_order(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    node = {"type": "queue", "queue": "team", "record_call": True}
    members = ["Local/tone1000__2@party/n"]
    use_flow(live_env, {"line": node}, queues={"team": {"members": members}})
    in_line = "SELECT caller_number FROM waiting ORDER BY since"
    for number in (1, 2, 3):
        asterisk.place_call("1000", "tone440", caller_number=f"1555010{number}")
        wait_until(lambda n=number: len(calls(live_env)) == n, "the caller has come")
    wait_until(lambda: len(rows(live_env, in_line)) == 2, "two wait while the first talks")
    worker_process.kill()
    worker_process.start()
    ended = sorted(ended_calls(live_env, 3), key=lambda call: call["answered_at"])
    assert [call["caller_number"] for call in ended] == ["15550101", "15550102", "15550103"]
    found = recordings_in(live_env, "available", 3)
    for row in found:
        levels = loudest_db(audio_of(live_env, row), (440, 1000, 300))
        assert levels[440] > HEARD_DB
        assert levels[1000] > HEARD_DB
    assert rows(live_env, "SELECT * FROM members WHERE call_uid IS NOT NULL") == []


def test_a_call_that_came_in_the_gap_and_waits_is_taken_up_or_falls_back(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"desk": transfer("tone1000__1")})
    worker_process.kill()
    wait_until(lambda: not asterisk.ari("GET", "applications/callytics").ok, "it is noticed")
    asterisk.place_call("1000", "tone440")
    # The fallback in the dialplan connects and records it; there is no row yet.
    wait_until(
        lambda: any(c["dialplan"]["context"] == "fallback" for c in asterisk.channels()),
        "the fallback has the call",
    )
    worker_process.start()
    assert calls(live_env) == []
