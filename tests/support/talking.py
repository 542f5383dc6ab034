"""Recorded conversation on a real Asterisk, with pauses."""

import json
import time
from datetime import datetime
from typing import Any

import pytest

from callytics.ari.commands import Ari
from callytics.ari.pause_request import Action, request_pause
from callytics.config import load_config
from tests.support.asterisk import AsteriskServer
from tests.support.rows import audio_of, recordings, recordings_in, use_flow
from tests.support.tones import spans_heard
from tests.support.waiting import wait_until

Env = dict[str, str]
Row = dict[str, Any]

DESK = {"type": "transfer", "destination": "Local/told1000@party/n", "record_call": True}
CALLER, CALLEE = "told440", "told1000"
# Half a frame of rounding, and jitter of the line; a busy machine loses more. An error would be a
# whole pause, or all audio before it.
NEAR_SECONDS = 0.8


class Talk:
    """Recorded conversation; the caller speaks 440 Hz, the callee 1000 Hz."""

    def __init__(self, asterisk: AsteriskServer, environment: Env) -> None:
        self.asterisk, self.environment = asterisk, environment
        self.call = asterisk.place_call("1000", CALLER)
        (row,) = recordings_in(environment, "recording")
        self.name, self.audio = row["path"].removesuffix(".wav"), audio_of(environment, row)
        self.goes_on(1.5)

    def goes_on(self, seconds: float) -> None:
        """Let time pass: no event tells that somebody has spoken for a while."""
        time.sleep(seconds)

    def wishes(self, action: Action, by: str) -> None:
        """Send a pause request to the worker, as a page does."""
        request_pause(Ari(load_config(self.environment)), self.name, action, by)

    def row(self) -> Row:
        """Return the row of the newest recording."""
        row = recordings(self.environment)[-1]
        return {**row, "pauses": json.loads(row["pauses"] or "[]")}

    def is_paused(self) -> bool:
        """Return True if the row says that it is paused."""
        spans = self.row()["pauses"]
        return bool(spans) and spans[-1]["at_ms"] is not None and spans[-1]["ended_at"] is None

    def state(self) -> str:
        """Return its state in Asterisk."""
        name = self.name.replace("/", "%2F")
        return self.asterisk.ari("GET", f"recordings/live/{name}").json().get("state", "")

    def pause(self, by: str = "ada") -> None:
        """Pause the recording and wait until its row says so."""
        self.wishes("pause", by)
        wait_until(self.is_paused, "the recording is paused")

    def resume(self, by: str = "rita") -> None:
        """Resume the recording and wait until its row says so."""
        self.wishes("resume", by)
        wait_until(lambda: not self.is_paused(), "the recording goes on")

    def says_the_card_number(self, seconds: float = 2.0) -> None:
        """Let the caller speak 700 Hz for a while, and the callee 1500 Hz from then on."""
        self.asterisk.tell(CALLER, 700)
        self.asterisk.tell(CALLEE, 1500)
        self.goes_on(seconds)
        self.asterisk.tell(CALLER, 440)
        self.goes_on(0.2)

    def end(self, count: int = 1) -> Row:
        """Hang up; return the newest recording once `count` of them are available."""
        self.call.hang_up()
        recordings_in(self.environment, "available", count)
        return self.row()


def begin_talk(asterisk: AsteriskServer, environment: Env) -> Talk:
    """Begin a conversation that a worker connects and records."""
    for party in (CALLER, CALLEE):
        asterisk.ari("POST", "asterisk/variable", params={"variable": party, "value": ""})
    use_flow(environment, {"desk": DESK})
    return Talk(asterisk, environment)


def length(span: Row) -> float:
    """Return the length of a pause in seconds."""
    began, ended = (datetime.fromisoformat(span[key]) for key in ("began_at", "ended_at"))
    return (ended - began).total_seconds()


def check_gap(talk: Talk, span: Row) -> None:
    """Check that nothing of the pause is heard, and that the gap is where the facts say."""
    assert spans_heard(talk.audio, 700) == []
    before, after = spans_heard(talk.audio, 1000)[-1], spans_heard(talk.audio, 1500)[0]
    assert before[1] == pytest.approx(span["at_ms"] / 1000, abs=NEAR_SECONDS)
    assert after[0] == pytest.approx(span["at_ms"] / 1000, abs=NEAR_SECONDS)
