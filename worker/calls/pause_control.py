"""Pause control: pauses and resumes the recordings of a call on request, and when time is up.

It runs in greenlets beside the call's own, so that nobody who talks waits for it.
"""

import logging
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

import gevent

from callytics.ari.commands import AriError
from callytics.clock import utc_now
from callytics.recordings.facts import Facts
from callytics.recordings.pauses import PausedSpan, clean_name
from worker.asterisk.event_stream import Event
from worker.calls.session import WAKE_UP, Session
from worker.recording.live_recording import LiveRecording

log = logging.getLogger(__name__)

# After this time Asterisk is asked again for its state, or to resume.
RETRY_SECONDS = 2.0


class PauseControl:
    """Pause and resume of one recording. Its facts say what Asterisk confirmed, for the pages."""

    def __init__(self, session: Session, recording: LiveRecording) -> None:
        self._session, self._recording = session, recording
        self._recorder = session.services.recorder

    def request(self, request: Event) -> None:
        """Start to carry out a request from a page: its `action` and `by` whom."""
        by = clean_name(request["by"])
        action = {"pause": self._pause, "resume": self._resume}[request["action"]]
        self._spawn(lambda: action(by))

    def resume_in_time(self) -> None:
        """Resume a recording that is paused now when the longest pause is over."""
        if self._recording.is_paused:
            gevent.spawn(self._resume_after_longest_pause, self._recording.facts.pauses[-1])

    def _spawn(self, action: Callable[[], None]) -> "gevent.Greenlet[..., None]":
        """Run `action` after those requested before: two people may press at the same time."""
        turns, uid = self._session.pause_turns, self._recording.facts.uid
        turns[uid] = gevent.spawn(self._run_after, turns.get(uid), action)
        return turns[uid]

    def _run_after(
        self, previous: "gevent.Greenlet[..., None] | None", action: Callable[[], None]
    ) -> None:
        gevent.joinall([previous] if previous else [])
        try:
            if not self._recording.finished:
                action()
        except Exception:
            log.exception("recording %s: its pauses are not right", self._recording.facts.uid)

    def _pause(self, by: str) -> None:
        recording, facts = self._recording, self._recording.facts
        if recording.is_paused or not recording.started or facts.kind == "voicemail":
            return
        before = facts.pauses
        # Written first: a worker that adopts a paused recording can tell that it was intended.
        self._write(*before, PausedSpan(utc_now(), by))
        self._session.write_journal()
        if self._state_after(self._recorder.pause, "paused") == "paused":
            now = monotonic()
            recording.clock.pause(now)
            at_ms = recording.clock.recorded_ms(now)
            self._write(*before, PausedSpan(utc_now(), by, at_ms))
            log.info("recording %s is paused at %d ms", facts.uid, at_ms)
        else:
            # Asterisk may still carry out a command whose answer did not come in time.
            with suppress(AriError):
                self._recorder.resume(facts)
            self._write(*before)
        self._session.write_journal()
        self.resume_in_time()

    def _resume(self, by: str, by_itself: bool = False) -> None:
        if self._recording.is_held:
            self._end_pause(by, by_itself)
            self._ask_for_held_recording()
        elif self._recording.is_paused and self._resumes():
            # Not written before: a page must not say that audio is recorded when it is not.
            self._end_pause(by, by_itself)
        self._session.write_journal()

    def _resumes(self) -> bool:
        return self._state_after(self._recorder.resume, "recording") == "recording"

    def _ask_for_held_recording(self) -> None:
        session, bridge_id = self._session, self._session.bridge_id or ""
        self._recording.write_intent()
        self._recording.ask(lambda name: session.ari.record_bridge(bridge_id, name, "wav"))
        # The call's own greenlet then handles a recording that could not start.
        session.inbox.put(WAKE_UP)

    def _end_pause(self, by: str, by_itself: bool) -> None:
        self._recording.clock.resume(monotonic())
        *before, last = self._recording.facts.pauses
        self._write(*before, last.ended(utc_now(), by, by_itself))
        how = "by itself" if by_itself else "on request"
        log.info("recording %s goes on %s", self._recording.facts.uid, how)

    def _state_after(self, command: Callable[[Facts], None], expected: str) -> str:
        """Return Asterisk's state after `command`, also if it refused or its answer was lost."""
        facts = self._recording.facts
        try:
            command(facts)
            return expected
        except AriError as error:
            log.warning("recording %s is not surely %s: %s", facts.uid, expected, error)
        while not self._recording.finished:
            if state := self._recorder.live_state(facts):
                return state
            gevent.sleep(RETRY_SECONDS)
        return "gone"

    def _resume_after_longest_pause(self, span: PausedSpan) -> None:
        """Keep the rest of a conversation from being lost because somebody forgot to resume."""
        longest = int(self._session.services.rules.settings()["longest_pause_seconds"])
        if not longest:
            return
        gevent.sleep(max(0.0, longest - (utc_now() - span.began_at).total_seconds()))
        while not self._recording.finished and self._recording.facts.pauses[-1] == span:
            self._spawn(lambda: self._resume("", by_itself=True)).join()
            gevent.sleep(RETRY_SECONDS)

    def _write(self, *pauses: PausedSpan) -> None:
        """Write the pauses, unless the final facts of the recording are written."""
        if not self._recording.finished:
            self._recording.update(pauses=pauses)
