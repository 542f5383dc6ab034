"""Asterisk is killed, or stopped, while people talk: seconds are lost, never the file."""

import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from callytics.recordings.finalization import PERHAPS_CUT_SHORT
from tests.support.asterisk import AsteriskServer
from tests.support.processes import Worker
from tests.support.rows import audio_of, ended_calls, facts_of, recordings_in, use_flow
from tests.support.tones import HEARD_DB, loudest_db, seconds_heard
from tests.support.waiting import wait_until

Env = dict[str, str]
MAILBOX = {"type": "voicemail", "greeting": "sound:silence/1", "max_seconds": 60}


@pytest.fixture(autouse=True)
def asterisk_runs_again(asterisk: AsteriskServer) -> Iterator[None]:
    """Other tests share this Asterisk."""
    yield
    if asterisk.process is None:
        asterisk.start()


def begin(asterisk: AsteriskServer, environment: Env) -> Path:
    """A recorded conversation of some seconds; its file."""
    node = {"type": "transfer", "destination": "Local/tone1000@party/n", "record_call": True}
    use_flow(environment, {"desk": node})
    asterisk.place_call("1000", "tone440")
    (row,) = recordings_in(environment, "recording")
    audio = audio_of(environment, row)
    # Asterisk writes 32 KiB at a time: two of them are safe on disk.
    wait_until(lambda: audio.exists() and audio.stat().st_size > 65_536, "four seconds")
    return audio


def test_a_killed_asterisk_leaves_a_recording_that_plays_and_says_so(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    audio = begin(asterisk, live_env)
    asterisk.kill()
    sound = audio.read_bytes()[44:]
    assert audio.read_bytes()[40:44] == bytes(4), "the header was not finished"
    asterisk.start()
    (row,) = recordings_in(live_env, "available")
    assert "cut short" in row["state_reason"]
    assert facts_of(live_env, row)["state_reason"] == row["state_reason"]
    with wave.open(str(audio)) as file:
        assert file.getnframes() == len(sound) // 2
    assert audio.read_bytes()[44:] == sound
    assert min(loudest_db(audio, (440, 1000)).values()) > HEARD_DB
    assert row["duration_ms"] == len(sound) // 16
    (ended,) = ended_calls(live_env)
    assert ended["disposition"] == "answered"


def test_worker_and_asterisk_killed_together_lose_no_recording(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    audio = begin(asterisk, live_env)
    worker_process.kill()
    asterisk.kill()
    asterisk.start()
    worker_process.start()
    (row,) = recordings_in(live_env, "available")
    assert "cut short" in row["state_reason"]
    assert seconds_heard(audio, 1000) > 3
    ended_calls(live_env)


def test_a_stopped_asterisk_finishes_its_files_and_they_are_left_as_they_are(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    audio = begin(asterisk, live_env)
    asterisk.terminate()
    finished = audio.read_bytes()
    asterisk.start()
    (row,) = recordings_in(live_env, "available")
    assert audio.read_bytes() == finished
    assert row["size_bytes"] == len(finished)
    ended_calls(live_env)


def test_the_next_call_after_a_crash_is_recorded(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    begin(asterisk, live_env)
    asterisk.kill()
    asterisk.start()
    recordings_in(live_env, "available")
    call = asterisk.place_call("1000", "tone440")
    (row,) = recordings_in(live_env, "recording")
    audio = audio_of(live_env, row)
    wait_until(lambda: audio.exists() and audio.stat().st_size > 20_000, "audio")
    call.hang_up()
    recordings_in(live_env, "available", 2)


def test_a_voicemail_whose_end_asterisk_did_not_live_to_write_says_so(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"message": MAILBOX})
    asterisk.place_call("1000", "speak440_30")
    (row,) = recordings_in(live_env, "recording")
    audio = audio_of(live_env, row)
    # Asterisk writes a .ulaw 32 KiB at a time, and what it lost is less than is told by the clock.
    wait_until(lambda: audio.exists() and audio.stat().st_size > 30_000, "four seconds")
    asterisk.kill()
    asterisk.start()
    (row,) = recordings_in(live_env, "available")
    assert row["state_reason"] == PERHAPS_CUT_SHORT
    assert facts_of(live_env, row)["state_reason"] == PERHAPS_CUT_SHORT


def test_a_voicemail_that_ended_before_asterisk_did_is_whole(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"message": MAILBOX})
    asterisk.place_call("1000", "leave440_3_#")
    (row,) = recordings_in(live_env, "available")
    asterisk.kill()
    asterisk.start()
    ended_calls(live_env)
    (row,) = recordings_in(live_env, "available")
    assert row["state_reason"] == ""
