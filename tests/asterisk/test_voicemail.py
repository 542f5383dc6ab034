"""The Voicemail node on a real Asterisk: what is kept, and what is never in it."""

from datetime import datetime
from typing import Any

import pytest

from callytics.storage.folder import Storage
from tests.support.asterisk import AsteriskServer
from tests.support.processes import Worker
from tests.support.rows import audio_of, ended_calls, recordings, recordings_in, use_flow
from tests.support.tones import HEARD_DB, loudest_db, seconds_heard
from tests.support.waiting import wait_until

GREETING = 700
Env = dict[str, str]


@pytest.fixture
def mailbox(asterisk: AsteriskServer, live_env: Env, worker_process: Worker) -> Env:
    """An installation whose number 1000 takes messages of 4 s, or until 2 s of silence."""
    node = {"type": "voicemail", "greeting": asterisk.add_tone(GREETING, 1.0)}
    use_flow(live_env, {"message": {**node, "max_seconds": 4, "max_silence_seconds": 2}})
    return live_env


def message(environment: Env) -> dict[str, Any]:
    """The one message, when its call is over; the greeting is not in it."""
    (ended,) = ended_calls(environment)
    (recording,) = recordings(environment)
    assert recording["state"] == "available"
    assert (recording["kind"], recording["format"]) == ("voicemail", "ulaw")
    assert recording["callee"] == ""
    audio = audio_of(environment, recording)
    assert audio.suffix == ".ulaw"
    assert recording["duration_ms"] == audio.stat().st_size // 8
    assert loudest_db(audio, [GREETING])[GREETING] < HEARD_DB
    assert ended["path"][0]["result"] == "message"
    assert ended["disposition"] == "no_answer"
    return recording


def test_the_hash_key_ends_a_message(asterisk: AsteriskServer, mailbox: Env) -> None:
    asterisk.place_call("1000", "leave440_2_#")
    recording = message(mailbox)
    assert 1.0 < seconds_heard(audio_of(mailbox, recording), 440) < 3.9


def test_silence_ends_a_message(asterisk: AsteriskServer, mailbox: Env) -> None:
    asterisk.place_call("1000", "speak440_3")
    recording = message(mailbox)
    assert seconds_heard(audio_of(mailbox, recording), 440) > 0.5


def test_the_longest_time_ends_a_message(asterisk: AsteriskServer, mailbox: Env) -> None:
    asterisk.place_call("1000", "tone440")
    recording = message(mailbox)
    ((step,),) = [call["path"] for call in ended_calls(mailbox)]
    began, ended = (datetime.fromisoformat(step[key]) for key in ("started_at", "ended_at"))
    # The greeting, and the message of 4 s by the clock of Asterisk.
    assert (ended - began).total_seconds() > 4.5
    # A busy machine plays less or more of the tone in that time; without a limit it has no end.
    assert 2.0 < seconds_heard(audio_of(mailbox, recording), 440) < 8.0


def test_a_hang_up_ends_a_message(asterisk: AsteriskServer, mailbox: Env) -> None:
    call = asterisk.place_call("1000", "tone440")
    (recording,) = recordings_in(mailbox, "recording")
    audio = audio_of(mailbox, recording)
    wait_until(lambda: audio.exists() and audio.stat().st_size >= 12_000, "a second and a half")
    call.hang_up()
    recording = message(mailbox)
    assert seconds_heard(audio, 440) > 1.0


def test_a_caller_who_says_nothing_leaves_no_message(
    asterisk: AsteriskServer, mailbox: Env
) -> None:
    asterisk.place_call("1000", "silent")
    (ended,) = ended_calls(mailbox)
    assert ended["path"][0]["result"] == "nothing_said"
    wait_until(lambda: recordings(mailbox) == [], "no message is left")
    folder = audio_of(mailbox, {"path": ""})
    assert list(Storage(folder).walk()) == []


def test_a_caller_who_hangs_up_in_the_greeting_leaves_no_message(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    greeting = asterisk.add_tone(750, 20.0)
    use_flow(live_env, {"message": {"type": "voicemail", "greeting": greeting}})
    call = asterisk.place_call("1000", "tone440")
    wait_until(call.is_up, "the caller is there")
    wait_until(
        lambda: asterisk.ari("GET", f"channels/{call.channel_id}").json()["state"] == "Up",
        "the mailbox has answered",
    )
    call.hang_up()
    (ended,) = ended_calls(live_env)
    assert ended["path"][0]["result"] in ("caller_hung_up", "nothing_said")
    wait_until(lambda: recordings(live_env) == [], "no message is left")
