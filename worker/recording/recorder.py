"""The only code that starts or stops a recording: facts, row, Asterisk, in that order."""

import logging
from datetime import datetime

import gevent
from gevent.event import AsyncResult

from callytics.ari.commands import Ari, AriError
from callytics.audio import samples, waveform
from callytics.recordings import ledger, pauses
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import read_facts, write_facts
from callytics.recordings.finalization import complete
from callytics.storage.folder import Storage
from callytics.storage.health import folder_problem
from worker.persistence.outbox import Outbox
from worker.recording.live_recording import INTENT_SECONDS, LiveRecording
from worker.support.native_threads import Threads

log = logging.getLogger(__name__)

DISK_THREADS = 8


class Recorder:
    """Starts, stops and completes recordings on behalf of the calls."""

    def __init__(self, ari: Ari, outbox: Outbox, storage: Storage) -> None:
        self.ari = ari
        # When the Asterisk that we are connected to was started.
        self.asterisk = ""
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

    def adopt(self, facts: Facts, asterisk: str) -> LiveRecording:
        """Go on with a recording that another process began, or take note that it has ended.

        `asterisk` is when the one that recorded it was started. Raises AriError.
        """
        recording = LiveRecording(self, self._with_pauses_beside(facts))
        live = self.ari.live_recording(facts.name)
        if live is not None or not recording.pausing.holds:
            recording.adopt((live or {}).get("state", ""), asterisk)
        return recording

    def _with_pauses_beside(self, facts: Facts) -> Facts:
        """Facts of the journal, which is some steps behind where a worker died in a pause."""
        try:
            beside = self._disk.ask(
                read_facts, self._storage, facts.facts_path, seconds=INTENT_SECONDS
            )
        except (gevent.Timeout, OSError, ValueError):
            return facts
        return facts.but(pauses=pauses.fuller(facts.pauses, beside.pauses))

    def intend(self, facts: Facts) -> tuple[AsyncResult, AsyncResult]:
        """Begin to write facts and row of a recording that is wanted; the results of both."""
        return self.write_beside(facts), self.save_row(facts)

    def write_beside(self, facts: Facts) -> AsyncResult:
        """Begin to write facts that somebody waits for.

        What is said until the recording starts is lost, so it waits for what a crash of Asterisk
        or of us cannot undo, and not for the disk. A machine that dies in that instant loses the
        call and its sound as well.
        """
        written = self._thread_of(facts).spawn(write_facts, self._storage, facts, False)
        self._thread_of(facts).spawn(write_facts, self._storage, facts)
        return written

    def write(self, facts: Facts) -> AsyncResult:
        """Begin to write facts, then the row, which must not say what they do not; the first."""
        written = self._thread_of(facts).spawn(write_facts, self._storage, facts)
        written.rawlink(lambda _: self.save_row(facts))
        return written

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

    def pause(self, facts: Facts) -> None:
        """Ask Asterisk to write nothing more for now. Raises AriError."""
        self.ari.pause_recording(facts.name)

    def resume(self, facts: Facts) -> None:
        """Ask Asterisk to write on. Raises AriError."""
        self.ari.resume_recording(facts.name)

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
            self.write(final).get()
        except OSError as error:
            log.error("RECORDINGS_DIR: the facts of a recording cannot be kept: %s", error)
        log.info("recording %s of call %s is %s", final.uid, final.call_uid, final.state)
        if final.state == "available":
            gevent.spawn(self._keep_peaks, final)
        return final

    def _keep_peaks(self, facts: Facts) -> None:
        """Keep what the player shows. Where it fails, the page computes it when it is opened."""
        try:
            shape = self._disk.spawn(waveform.shape, self._storage.resolve(facts.path)).get()
        except (OSError, ValueError) as error:
            log.warning("recording %s: its waveform cannot be computed: %s", facts.uid, error)
        else:
            self._outbox.put(ledger.save_peaks, facts.uid, shape.to_bytes())
