"""The only code that starts or stops a recording: facts, row, Asterisk, in that order."""

import logging
from collections.abc import Callable
from datetime import datetime
from time import monotonic

import gevent
from gevent.event import AsyncResult

from callytics import ledger, peaks, samples
from callytics.ari import Ari, AriError
from callytics.checks import folder_problem
from callytics.completion import complete
from callytics.facts import Facts, utc_now
from callytics.storage import Storage
from worker.events import Event
from worker.outbox import MOMENT_SECONDS, Outbox
from worker.threads import Threads

log = logging.getLogger(__name__)

# How long Asterisk may take to begin, and to close the file. Both were seen to take long on a
# saturated machine, and the second event is sometimes lost.
START_SECONDS, FINISH_SECONDS = 35.0, 5.0
# An event that was lost is missed after this time, and Asterisk is asked.
ASK_SECONDS = 2.0
DISK_THREADS = 8
# How often a recording is asked to end.
STOPS = 3
# People talk already while a hung disk is waited for.
INTENT_SECONDS = 2.0
# A message that ended so soon has no file because nothing was said, not because the disk is full.
NOTHING_SECONDS = 1.5


class LiveRecording:
    """One recording from our wish for it to its end. Never raises into the call it records."""

    def __init__(self, recorder: "Recorder", facts: Facts) -> None:
        self._recorder, self.facts = recorder, facts
        self.asked = self.started = self.finished = False
        self._began_at = self._ended_at = 0.0
        self._nobody_there = False

    def intend(self) -> None:
        """Begin to write down that this recording is wanted."""
        self._written = self._recorder.intend(self.facts)

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
            self.facts = self.facts.but(state="recording")
            self._recorder.save_row(self.facts)
        elif kind in ("RecordingFinished", "RecordingFailed"):
            self.finished, self._ended_at = True, self._ended_at or monotonic()

    def stop(self, wait_until: Callable[[Callable[[], bool], float], bool]) -> None:
        """End the recording and wait, within bounds, until its file is whole.

        A stop before `RecordingStarted` is answered with 204 and the recording starts anyway,
        so that event is awaited first.
        """
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
            self.hear({"type": "RecordingFinished"})
        elif state == "recording":
            self.hear({"type": "RecordingStarted"})

    def complete(self, reason: str = "") -> Facts:
        """Read the closed file and say in facts and row what became of the recording."""
        if self.facts.state in ("requested", "recording"):
            ended_at = self._ended_at or monotonic()
            expected_ms = int((ended_at - self._began_at) * 1000) if self.started else None
            self.facts = self._recorder.complete(self.facts, utc_now(), reason, expected_ms)
        self.finished = True
        return self.facts

    def _wait_for_intent(self) -> None:
        facts_written, row_written = self._written
        try:
            facts_written.get(timeout=INTENT_SECONDS)
        except (OSError, gevent.Timeout) as error:
            # The row still tells of it, and Asterisk may yet be able to write where we are not.
            log.error("RECORDINGS_DIR: the facts of a recording cannot be kept: %s", error)
        row_written.wait(timeout=MOMENT_SECONDS)

    def says_nothing(self) -> bool:
        """Whether nobody spoke, or nobody was there any more when it was to begin."""
        short = self.started and self._ended_at - self._began_at < NOTHING_SECONDS
        return self._nobody_there or self._recorder.is_silent(self.facts, short)

    def abandon(self, reason: str) -> None:
        """Say why there will be no recording after all."""
        self.facts = self.facts.but(state="failed", state_reason=reason, ended_at=utc_now())
        self.finished = True
        self._recorder.write(self.facts)


class Recorder:
    """Starts, stops and completes recordings on behalf of the calls."""

    def __init__(self, ari: Ari, outbox: Outbox, storage: Storage) -> None:
        self.ari = ari
        self._outbox, self._storage = outbox, storage
        # The disk may be slow or hang; it must hold up only the recording that waits for it.
        self._disk = Threads(DISK_THREADS)
        # One thread for all facts of one recording, so that what was said last is what stays.
        self._facts = [Threads(1) for _ in range(DISK_THREADS)]

    def begin(self, facts: Facts) -> LiveRecording:
        """Write down that a recording is wanted; `ask` then asks Asterisk for it."""
        recording = LiveRecording(self, facts)
        recording.intend()
        return recording

    def adopt(self, facts: Facts) -> LiveRecording:
        """Go on with a recording that another process began, or take note that it has ended.

        Raises AriError.
        """
        recording = LiveRecording(self, facts)
        recording.asked = True
        if self.ari.live_recording(facts.name) is None:
            recording.finished = True
        else:
            recording.hear({"type": "RecordingStarted"})
        return recording

    def intend(self, facts: Facts) -> tuple[AsyncResult, AsyncResult]:
        """Begin to write facts and row of a recording that is wanted; the results of both.

        What is said until the recording starts is lost, so it waits for what a crash of Asterisk
        or of us cannot undo, and not for the disk. A machine that dies in that instant loses the
        call and its sound as well.
        """
        written = self._thread_of(facts).spawn(self._storage.write_facts, facts, False)
        self._thread_of(facts).spawn(self._storage.write_facts, facts)
        return written, self.save_row(facts)

    def write(self, facts: Facts) -> tuple[AsyncResult, AsyncResult]:
        """Begin to write facts and row; the results of both."""
        written = self._thread_of(facts).spawn(self._storage.write_facts, facts)
        return written, self.save_row(facts)

    def _thread_of(self, facts: Facts) -> Threads:
        return self._facts[hash(facts.uid) % DISK_THREADS]

    def save_row(self, facts: Facts) -> AsyncResult:
        """Begin to write the row."""
        return self._outbox.put(ledger.save_recording, facts)

    def stop(self, facts: Facts) -> bool:
        """Ask Asterisk to close the file; False when it did not, perhaps since it has already."""
        try:
            self.ari.stop_recording(facts.name)
        except AriError as error:
            if not error.gone:
                log.warning("recording %s was not stopped: %s", facts.uid, error)
            return False
        return True

    def is_live(self, facts: Facts) -> bool:
        """Whether Asterisk is about to record this, or does."""
        return self.live_state(facts) in ("queued", "recording", "paused")

    def live_state(self, facts: Facts) -> str:
        """Asterisk's word for it: `queued`, `recording`...; `gone`, or `` when it does not say."""
        try:
            live = self.ari.live_recording(facts.name)
        except AriError as error:
            log.warning("recording %s: its state is not known: %s", facts.uid, error)
            return ""
        return "gone" if live is None else live.get("state", "")

    def problem(self) -> str | None:
        """Why nobody can record anything just now, if that is so."""
        try:
            return self._disk.ask(folder_problem, self._storage, seconds=INTENT_SECONDS)
        except gevent.Timeout:
            return "RECORDINGS_DIR: the disk does not answer"

    def is_silent(self, facts: Facts, if_empty: bool) -> bool:
        """Whether nobody speaks in the file; `if_empty` for a file without sound or no file."""
        try:
            full = self._storage.resolve(facts.path)
            return self._disk.spawn(samples.is_silent, full, if_empty).get()
        except FileNotFoundError:
            return if_empty
        except (OSError, ValueError):
            return False

    def discard(self, facts: Facts) -> None:
        """Remove a recording in which there is nothing: audio, facts, row."""
        try:
            for path in (facts.path, facts.facts_path):
                self._thread_of(facts).spawn(self._storage.delete, path).get()
        except OSError as error:
            log.warning("recording %s: an empty file was not removed: %s", facts.uid, error)
        self._outbox.put(ledger.forget_recording, facts.uid)

    def complete(
        self, facts: Facts, ended_at: datetime, reason: str, expected_ms: int | None
    ) -> Facts:
        """The final facts, from the file; written beside it and sent to the ledger."""
        work = (complete, self._storage, facts, ended_at, reason, expected_ms)
        try:
            final = self._disk.spawn(*work).get()
        except OSError as error:
            said = f"the file cannot be read: {error.strerror or error}"
            final = facts.but(state="failed", state_reason=said, ended_at=ended_at)
        try:
            # Before the row: who reads there that all is well finds it beside the audio too.
            self._thread_of(final).spawn(self._storage.write_facts, final).get()
        except OSError as error:
            log.error("RECORDINGS_DIR: the facts of a recording cannot be kept: %s", error)
        self.save_row(final)
        log.info("recording %s of call %s is %s", final.uid, final.call_uid, final.state)
        if final.state == "available":
            gevent.spawn(self._keep_peaks, final)
        return final

    def _keep_peaks(self, facts: Facts) -> None:
        """Keep what the player shows. Where it fails, the page computes it when it is opened."""
        try:
            shape = self._disk.spawn(peaks.shape, self._storage.resolve(facts.path)).get()
        except (OSError, ValueError) as error:
            log.warning("recording %s: its waveform cannot be computed: %s", facts.uid, error)
        else:
            self._outbox.put(ledger.save_peaks, facts.uid, shape.to_bytes())
