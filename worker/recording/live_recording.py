"""One recording as it goes on: wished for, asked for, heard of, ended."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import TYPE_CHECKING, Any

import gevent
from gevent.event import AsyncResult

from callytics.ari.commands import AriError
from callytics.clock import utc_now
from callytics.recordings.facts import Facts
from callytics.recordings.finalization import PERHAPS_CUT_SHORT
from worker.asterisk.event_stream import Event
from worker.calls.pause_control import Pausing
from worker.persistence.outbox import MOMENT_SECONDS

if TYPE_CHECKING:
    from worker.recording.recorder import Recorder

log = logging.getLogger(__name__)

# How long Asterisk may take to begin, and to close the file. Both were seen to take long on a
# saturated machine, and the second event is sometimes lost.
START_SECONDS, FINISH_SECONDS = 35.0, 5.0
# An event that was lost is missed after this time, and Asterisk is asked.
ASK_SECONDS = 2.0
# How often a recording is asked to end.
STOPS = 3
# People talk already while a hung disk is waited for.
INTENT_SECONDS = 2.0
# A message that ended so soon has no file because nothing was said, not because the disk is full.
NOTHING_SECONDS = 1.5
# What stands for an event that never came.
MISSED_END: Event = {"type": "RecordingFinished", "missed": True}


class LiveRecording:
    """One recording from our wish for it to its end. Never raises into the call it records."""

    def __init__(self, recorder: "Recorder", facts: Facts) -> None:
        self._recorder, self.facts = recorder, facts
        self.asked = self.started = self.finished = False
        self._began_at = self._ended_at = 0.0
        self._nobody_there = False
        # The Asterisk that records it, and whether it has said itself that it closed the file.
        self._asterisk, self._is_closed = recorder.asterisk, False
        # When its first sound would have been heard had it never been paused.
        self._zero = 0.0
        self.pausing = Pausing(self, recorder)

    def intend(self) -> None:
        """Begin to write down that this recording is wanted."""
        self._written = self._recorder.intend(self.facts)

    def adopt(self, state: str, asterisk: str) -> None:
        """Go on with it as another process began it, in the Asterisk that was started then.

        `state` is Asterisk's word for it now, empty where it does not record it any more.
        """
        self.asked, self._asterisk = True, asterisk
        if not state:
            self.finished = True
            return
        self.hear({"type": "RecordingStarted"})
        # The moment of the first sound is not known any more, but it came soon after the wish.
        now = utc_now()
        paused = sum(((s.ended_at or now) - s.began_at).total_seconds() for s in self.facts.pauses)
        self._zero -= (now - self.facts.started_at).total_seconds() - paused
        self.pausing.adopt(state)

    def say(self, **changes: Any) -> None:
        """Write down what has changed in its facts, and wait a moment until that is done.

        The row comes second: what a page says of it outlives us beside the audio.
        """
        self.facts = self.facts.but(**changes)
        self._wait_for_facts(self._recorder.write_beside(self.facts))
        self._recorder.save_row(self.facts).wait(timeout=MOMENT_SECONDS)

    def recorded_ms(self, at: float) -> int:
        """How much was recorded by `at` (monotonic): a place in the audio."""
        return max(0, int((at - self._zero - self.pausing.seconds(at)) * 1000))

    def ask(self, command: Callable[[str], None]) -> None:
        """Let `command` ask Asterisk for the recording, by name, once our intent is written."""
        self._wait_for_intent()
        try:
            command(self.facts.name)
        except AriError as error:
            # An answer that was lost, or came too late, does not mean that nothing is recorded.
            if not self._recorder.is_live(self.facts):
                log.warning("recording %s was not started: %s", self.facts.uid, error)
                self._nobody_there = error.gone
                self.abandon(self._recorder.problem() or f"Asterisk would not record: {error}")
        self.asked = True

    def hear(self, event: Event) -> None:
        """Take note of an event about this recording."""
        kind = event["type"]
        if self.facts.state == "failed":
            return
        if kind == "RecordingStarted" and not self.started:
            self.started, self._began_at = True, monotonic()
            self._zero = self._began_at
            self.facts = self.facts.but(state="recording")
            self._recorder.save_row(self.facts)
        elif kind in ("RecordingFinished", "RecordingFailed"):
            self.finished, self._ended_at = True, self._ended_at or monotonic()
            self._is_closed = not event.get("missed")

    def stop(self, wait_until: Callable[[Callable[[], bool], float], bool]) -> None:
        """End the recording and wait, within bounds, until its file is whole.

        A stop before `RecordingStarted` is answered with 204 and the recording starts anyway,
        so that event is awaited first.
        """
        if self.pausing.holds:
            self.finished = True
        until = monotonic() + START_SECONDS
        while monotonic() < until:
            if wait_until(lambda: self.started or self.finished, ASK_SECONDS):
                break
            self._ask_asterisk()
        for _ in range(STOPS):
            if self.finished:
                return
            taken = self._recorder.stop(self.facts)
            if taken:
                # Now, and not when its event comes or is missed, for it is compared with the file.
                self._ended_at = self._ended_at or monotonic()
            if not wait_until(lambda: self.finished, FINISH_SECONDS if taken else ASK_SECONDS):
                self._ask_asterisk()

    def _ask_asterisk(self) -> None:
        """Take from Asterisk what an event should have told."""
        log.warning("recording %s: an event was missed; asking for it", self.facts.uid)
        state = self._recorder.live_state(self.facts)
        if state == "gone":
            self.hear(MISSED_END)
        elif state == "recording":
            self.hear({"type": "RecordingStarted"})

    def complete(self, reason: str = "") -> Facts:
        """Read the closed file and say in facts and row what became of the recording."""
        if self.facts.state in ("requested", "recording"):
            ended_at = self._ended_at or monotonic()
            spoken = ended_at - self._began_at - self.pausing.seconds(ended_at)
            expected_ms = int(spoken * 1000) if self.started else None
            reason = reason or self._reason_to_doubt()
            # From now on nobody else says anything of it.
            self.finished = True
            self.facts = self._recorder.complete(self.facts, utc_now(), reason, expected_ms)
        self.finished = True
        return self.facts

    def _reason_to_doubt(self) -> str:
        """Whether Asterisk may have died with some of it unwritten, where the file cannot tell."""
        died = self._recorder.asterisk != self._asterisk and not self._is_closed
        return PERHAPS_CUT_SHORT if died and self.facts.format == "ulaw" else ""

    def _wait_for_intent(self) -> None:
        facts_written, row_written = self._written
        self._wait_for_facts(facts_written)
        row_written.wait(timeout=MOMENT_SECONDS)

    def _wait_for_facts(self, facts_written: AsyncResult) -> None:
        try:
            facts_written.get(timeout=INTENT_SECONDS)
        except (OSError, gevent.Timeout) as error:
            # The row still tells of it, and Asterisk may yet be able to write where we are not.
            log.error("RECORDINGS_DIR: the facts of a recording cannot be kept: %s", error)

    def says_nothing(self) -> bool:
        """Whether nobody spoke, or nobody was there any more when it was to begin."""
        short = self.started and self._ended_at - self._began_at < NOTHING_SECONDS
        return self._nobody_there or self._recorder.is_silent(self.facts, short)

    def abandon(self, reason: str) -> None:
        """Say why there will be no recording after all."""
        self.facts = self.facts.but(state="failed", state_reason=reason, ended_at=utc_now())
        self.finished = True
        self._recorder.write(self.facts)
