"""Live recording: one recording from the intent to its closed file, by command and event."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import Self, Unpack

import gevent

from callytics.ari.commands import AriError
from callytics.clock import utc_now
from callytics.recordings.facts import Facts, FactsChanges
from callytics.recordings.finalization import PERHAPS_CUT_SHORT
from callytics.recordings.pauses import is_paused
from worker.asterisk.event_stream import Event
from worker.persistence.outbox import CALL_WAIT_SECONDS
from worker.recording.pause_clock import PauseClock, confirmed, recorded_seconds
from worker.recording.recorder import INTENT_SECONDS, Recorder
from worker.support.native_threads import Result

log = logging.getLogger(__name__)

# How long Asterisk may take to start, and to close the file. Both were seen to take long on a
# saturated machine, and the second event is sometimes lost.
START_SECONDS, FINISH_SECONDS = 35.0, 5.0
# After this time without an event Asterisk is asked for the state.
ASK_SECONDS = 2.0
# Stop commands before giving up.
STOPS = 3
# A message that ended so soon has no file because nothing was said, not because the disk is full.
NOTHING_SECONDS = 1.5
# Stands for an event that never came.
MISSED_END: Event = {"type": "RecordingFinished", "missed": True}

WaitUntil = Callable[[Callable[[], bool], float], bool]


class LiveRecording:
    """State of one recording while its call lives. Never raises into the call it records."""

    def __init__(self, recorder: Recorder, facts: Facts) -> None:
        self._recorder, self.facts = recorder, facts
        # Asterisk was asked for it; it has started; it has ended.
        self.asked = self.started = self.finished = False
        self.clock = PauseClock()
        self._started_at = self._ended_at = 0.0
        # The Asterisk that records it, and whether its own event said that the file is closed.
        self._asterisk, self._is_closed = recorder.asterisk, False
        self._channel_gone = False

    @classmethod
    def begin(cls, recorder: Recorder, facts: Facts) -> Self:
        """Queue the intent to record; `ask` then asks Asterisk for it."""
        recording = cls(recorder, facts)
        recording.write_intent()
        return recording

    @classmethod
    def begun(cls, recorder: Recorder, facts: Facts, asterisk: str) -> Self:
        """Return a recording that another process began; `take_over` comes next.

        `asterisk` is the start time of the Asterisk that recorded it.
        """
        recording = cls(recorder, facts)
        recording._asterisk = asterisk
        return recording

    def take_over(self) -> None:
        """Ask Asterisk for the state of a recording that another process began. Raises AriError.

        Its end may have been heard already.
        """
        self.facts = self._recorder.with_pauses_on_disk(self.facts)
        live = self._recorder.ari.live_recording(self.facts.name)
        if not self.finished and (live is not None or not self.is_held):
            self.asked = True
            self._take_over("" if live is None else live.get("state", ""))

    @property
    def is_paused(self) -> bool:
        """True while Asterisk has confirmed that it writes no audio."""
        return is_paused(self.facts.pauses)

    @property
    def is_held(self) -> bool:
        """True for the next segment of a paused recording: Asterisk is asked at its resume."""
        return self.is_paused and self.facts.state == "requested"

    # Start

    def write_intent(self) -> None:
        """Queue facts and row of a recording that is wanted."""
        self._intent = self._recorder.write_intent(self.facts)

    def ask(self, command: Callable[[str], object]) -> None:
        """Call `command` with the recording's name to ask Asterisk, once the intent is written."""
        self._wait_for_intent()
        try:
            command(self.facts.name)
        except AriError as error:
            # A lost or late answer does not mean that Asterisk does not record.
            if not self._recorder.is_live(self.facts):
                log.warning("recording %s was not started: %s", self.facts.uid, error)
                self._channel_gone = error.gone
                problem = self._recorder.folder_problem()
                self.fail(problem or f"Asterisk would not record: {error}")
        self.asked = True

    def fail(self, reason: str) -> None:
        """Write that there will be no recording, and why."""
        self.facts = self.facts.but(state="failed", state_reason=reason, ended_at=utc_now())
        self.finished = True
        self._recorder.write(self.facts)

    def _take_over(self, state: str) -> None:
        """Continue from Asterisk's state of it, empty if Asterisk does not record it any more."""
        if not state:
            self.finished = True
            return
        now = utc_now()
        # The moment of the first sound is not known here, but it came soon after the intent.
        recorded = recorded_seconds(self.facts.started_at, self.facts.pauses, now)
        self.apply_event({"type": "RecordingStarted"})
        self.clock.start(self._started_at, recorded)
        at_ms = self.clock.recorded_ms(self._started_at)
        if state == "paused":
            self.clock.pause(self._started_at)
        pauses = confirmed(self.facts.pauses, state == "paused", now, at_ms)
        if pauses != self.facts.pauses:
            self.update(pauses=pauses)

    # While it goes on

    def apply_event(self, event: Event) -> None:
        """Update the state by an event about this recording."""
        kind = event["type"]
        if self.facts.state == "failed":
            return
        if kind == "RecordingStarted" and not self.started:
            self.started, self._started_at = True, monotonic()
            self.clock.start(self._started_at)
            self.facts = self.facts.but(state="recording")
            self._recorder.save_row(self.facts)
        elif kind in ("RecordingFinished", "RecordingFailed"):
            self.finished, self._ended_at = True, self._ended_at or monotonic()
            self._is_closed = not event.get("missed")

    def update(self, **changes: Unpack[FactsChanges]) -> None:
        """Write changed facts and wait a moment for it.

        The row comes second: what a page says of it outlives this process beside the audio.
        """
        self.facts = self.facts.but(**changes)
        self._wait_for_facts(self._recorder.write_facts(self.facts))
        self._recorder.save_row(self.facts).wait(timeout=CALL_WAIT_SECONDS)

    # End

    def stop(self, wait_until: WaitUntil) -> None:
        """End the recording and wait, within bounds, until its file is whole."""
        if self.is_held:
            self.finished = True
        self._wait_for_start(wait_until)
        for _ in range(STOPS):
            if self.finished:
                return
            accepted = self._recorder.stop(self.facts)
            if accepted:
                # Now, not when its event comes or is missed: it is compared with the file's length.
                self._ended_at = self._ended_at or monotonic()
            if not wait_until(lambda: self.finished, FINISH_SECONDS if accepted else ASK_SECONDS):
                self._ask_state()

    def complete(self, reason: str = "") -> Facts:
        """Read the closed file and write the final facts and row, which are returned."""
        if self.facts.state in ("requested", "recording"):
            ended_at = self._ended_at or monotonic()
            seconds = ended_at - self._started_at - self.clock.paused_seconds(ended_at)
            expected_ms = int(seconds * 1000) if self.started else None
            reason = reason or self._reason_to_doubt()
            # Before the wait for the file: a pause that ends meanwhile must write nothing more.
            self.finished = True
            self.facts = self._recorder.complete(self.facts, utc_now(), reason, expected_ms)
        self.finished = True
        return self.facts

    def is_empty(self) -> bool:
        """Return True if nobody spoke, or the channel was gone before the recording began."""
        short = self.started and self._ended_at - self._started_at < NOTHING_SECONDS
        return self._channel_gone or self._recorder.is_silent(self.facts, short)

    def _wait_for_start(self, wait_until: WaitUntil) -> None:
        """Asterisk answers a stop before `RecordingStarted` with 204, and starts it anyway."""
        until = monotonic() + START_SECONDS
        while monotonic() < until:
            if wait_until(lambda: self.started or self.finished, ASK_SECONDS):
                break
            self._ask_state()

    def _ask_state(self) -> None:
        """Ask Asterisk for what an event should have told."""
        log.warning("recording %s: an event was missed; asking for it", self.facts.uid)
        state = self._recorder.live_state(self.facts)
        if state == "gone":
            self.apply_event(MISSED_END)
        elif state in ("recording", "paused"):
            self.apply_event({"type": "RecordingStarted"})

    def _reason_to_doubt(self) -> str:
        """Return a reason if Asterisk may have died with unwritten audio and the file cannot tell.

        A `.wav` shows it by its header, a `.ulaw` has none.
        """
        died = self._recorder.asterisk != self._asterisk and not self._is_closed
        return PERHAPS_CUT_SHORT if died and self.facts.format == "ulaw" else ""

    def _wait_for_intent(self) -> None:
        facts_written, row_written = self._intent
        self._wait_for_facts(facts_written)
        row_written.wait(timeout=CALL_WAIT_SECONDS)

    def _wait_for_facts(self, facts_written: Result[None]) -> None:
        try:
            facts_written.get(timeout=INTENT_SECONDS)
        except (OSError, gevent.Timeout) as error:
            # The row still shows it, and Asterisk may be able to write where this process is not.
            log.error("RECORDINGS_DIR: the facts of a recording cannot be kept: %s", error)
