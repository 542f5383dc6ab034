"""Pauses a recording and lets it go on: when somebody wishes it, or by itself when they forget.

In greenlets beside the call, for nobody who talks shall wait for it.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING

import gevent

from callytics.ari.commands import AriError
from callytics.clock import utc_now
from callytics.recordings.facts import Facts
from callytics.recordings.pauses import PausedSpan, is_paused, tidy_name
from worker.asterisk.event_stream import Event
from worker.calls.queue_board import NUDGE

if TYPE_CHECKING:
    from worker.calls.session import Session
    from worker.recording.live_recording import LiveRecording
    from worker.recording.recorder import Recorder

log = logging.getLogger(__name__)

# After this time Asterisk is asked again what it does, or to go on.
AGAIN_SECONDS = 2.0

Act = Callable[[str, "Session"], None]


class Pausing:
    """The pauses of one recording. What its facts say is what the pages show."""

    def __init__(self, recording: "LiveRecording", recorder: "Recorder") -> None:
        self._recording, self._recorder = recording, recorder
        # Two people may press at once: what is wished is done one after the other, in this order.
        self._last: gevent.Greenlet | None = None
        # By the clock of this process, which is never set back.
        self._paused_at: float | None = None
        self._paused_seconds = 0.0

    @property
    def is_on(self) -> bool:
        """Whether Asterisk has confirmed that it records nothing for now."""
        return is_paused(self._recording.facts.pauses)

    @property
    def holds(self) -> bool:
        """Whether Asterisk is to be asked for the recording only when it may go on."""
        return self.is_on and self._recording.facts.state == "requested"

    def seconds(self, until: float) -> float:
        """How long it was paused by `until` (monotonic), as far as this process knows."""
        now = 0.0 if self._paused_at is None else max(0.0, until - self._paused_at)
        return self._paused_seconds + now

    def obey(self, wish: Event, session: "Session") -> None:
        """Begin to do what somebody wishes."""
        act = {"pause": self._pause, "resume": self._resume}[wish["action"]]
        self._do(act, tidy_name(wish["by"]), session)

    def adopt(self, state: str) -> None:
        """Let the facts agree with what Asterisk does now; `state` is its word for it."""
        spans, now = self._recording.facts.pauses, utc_now()
        told = spans[:-1] if spans and spans[-1].at_ms is None else spans
        if state != "paused" and is_paused(told):
            told = (*told[:-1], told[-1].ended(now))
        elif state == "paused" and not is_paused(told):
            last = spans[-1] if spans and spans[-1].at_ms is None else PausedSpan(now, "")
            at_ms = self._recording.recorded_ms(monotonic())
            told = (*told, replace(last, at_ms=at_ms))
        if state == "paused":
            self._paused_at = monotonic()
        if told != spans:
            self._change(*told)

    def watch(self, session: "Session") -> None:
        """Go on by itself after the longest pause, if it is paused now."""
        if self.is_on:
            gevent.spawn(self._resume_in_time, self._recording.facts.pauses[-1], session)

    def _do(self, act: Act, by: str, session: "Session") -> gevent.Greenlet:
        self._last = gevent.spawn(self._in_turn, self._last, act, by, session)
        return self._last

    def _in_turn(
        self, before: gevent.Greenlet | None, act: Act, by: str, session: "Session"
    ) -> None:
        gevent.joinall([before] if before else [])
        try:
            if not self._recording.finished:
                act(by, session)
        except Exception:
            log.exception("recording %s: its pauses are not right", self._recording.facts.uid)

    def _pause(self, by: str, session: "Session") -> None:
        facts, before = self._recording.facts, self._recording.facts.pauses
        if self.is_on or not self._recording.started or facts.kind == "voicemail":
            return
        # Written first: whoever finds a paused recording knows then that it was meant.
        self._change(*before, PausedSpan(utc_now(), by))
        session.keep()
        if self._state_after(self._recorder.pause, "paused") == "paused":
            self._paused_at, now = monotonic(), utc_now()
            at_ms = self._recording.recorded_ms(self._paused_at)
            self._change(*before, PausedSpan(now, by, at_ms))
            log.info("recording %s is paused at %d ms", facts.uid, at_ms)
        else:
            # A command that was given up may still be carried out.
            with suppress(AriError):
                self._recorder.resume(facts)
            self._change(*before)
        session.keep()
        self.watch(session)

    def _resume(self, by: str, session: "Session", by_itself: bool = False) -> None:
        if self.holds:
            self._end(by, by_itself)
            self._begin(session)
        elif self.is_on and self._state_after(self._recorder.resume, "recording") == "recording":
            # Not written before: a page must not say that all is recorded when it is not.
            self._end(by, by_itself)
        session.keep()

    def _begin(self, session: "Session") -> None:
        """Ask for a recording that was held back."""
        bridge_id = session.bridge_id or ""
        self._recording.intend()
        self._recording.ask(lambda name: session.ari.record_bridge(bridge_id, name, "wav"))
        # The call looks then at what became of it.
        session.inbox.put(NUDGE)

    def _end(self, by: str, by_itself: bool) -> None:
        self._paused_seconds, self._paused_at = self.seconds(monotonic()), None
        *before, last = self._recording.facts.pauses
        self._change(*before, last.ended(utc_now(), by, by_itself))
        how = "by itself" if by_itself else "as wished"
        log.info("recording %s goes on %s", self._recording.facts.uid, how)

    def _state_after(self, command: Callable[[Facts], None], wished: str) -> str:
        """What Asterisk does after `command`, also where it refused or its answer was lost."""
        facts = self._recording.facts
        try:
            command(facts)
            return wished
        except AriError as error:
            log.warning("recording %s is not surely %s: %s", facts.uid, wished, error)
        while not self._recording.finished:
            if state := self._recorder.live_state(facts):
                return state
            gevent.sleep(AGAIN_SECONDS)
        return "gone"

    def _resume_in_time(self, span: PausedSpan, session: "Session") -> None:
        """So that a conversation is not lost because somebody forgot."""
        longest = int(session.services.rules.settings()["longest_pause_seconds"])
        if not longest:
            return
        gevent.sleep(max(0.0, longest - (utc_now() - span.began_at).total_seconds()))
        while not self._recording.finished and self._recording.facts.pauses[-1] == span:
            self._do(lambda by, of: self._resume(by, of, by_itself=True), "", session).join()
            gevent.sleep(AGAIN_SECONDS)

    def _change(self, *spans: PausedSpan) -> None:
        """Write it down, unless the recording is over and its last word said."""
        if not self._recording.finished:
            self._recording.say(pauses=spans)
