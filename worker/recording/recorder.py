"""Recorder: the only code that starts or stops a recording and writes its facts and its row.

Facts come first, then the row, then Asterisk: each can be rebuilt from the one before it.
"""

import logging
from datetime import datetime

import gevent

from callytics.ari.commands import Ari, AriError
from callytics.audio import samples, waveform
from callytics.recordings import ledger, pauses
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import read_facts, write_facts
from callytics.recordings.finalization import finalize
from callytics.storage.folder import Storage
from callytics.storage.health import folder_problem
from worker.persistence.outbox import Outbox
from worker.support.native_threads import NativeThreads, Result

log = logging.getLogger(__name__)

DISK_THREADS = 8
# People talk already while a disk that hangs is waited for.
INTENT_SECONDS = 2.0


class Recorder:
    """Commands, facts files and rows of recordings, on behalf of the calls."""

    def __init__(self, ari: Ari, outbox: Outbox, storage: Storage) -> None:
        self.ari = ari
        # Start time of the Asterisk that the worker is connected to; tells one run from the next.
        self.asterisk = ""
        self._outbox, self._storage = outbox, storage
        # The disk may be slow or hang; only the recording that waits for it may be held up.
        self._disk = NativeThreads(DISK_THREADS)
        # One thread for all facts of one recording, so that those written last are what stays.
        self._facts = [NativeThreads(1) for _ in range(DISK_THREADS)]

    # Facts and rows

    def write_intent(self, facts: Facts) -> tuple[Result[None], Result[None]]:
        """Queue facts and row of a recording that is wanted; returns the results of both."""
        return self.write_facts(facts), self.save_row(facts)

    def write_facts(self, facts: Facts) -> Result[None]:
        """Queue facts that a call waits for; the result is set before they are synced.

        What is said until Asterisk records is lost, so the call waits for what survives a crash of
        Asterisk or of this process, not for the disk. If the machine goes down in that instant, the
        call and its audio are lost as well.
        """
        thread = self._thread_of(facts)
        written = thread.spawn(write_facts, self._storage, facts, durable=False)
        thread.spawn(self._storage.sync, facts.facts_path)
        return written

    def write(self, facts: Facts) -> Result[None]:
        """Queue facts, and after them the row, which must not say what they do not."""
        written = self._thread_of(facts).spawn(write_facts, self._storage, facts)
        written.rawlink(lambda _: self.save_row(facts))
        return written

    def save_row(self, facts: Facts) -> Result[None]:
        """Queue the row."""
        return self._outbox.put(ledger.save_recording, facts)

    def with_pauses_on_disk(self, facts: Facts) -> Facts:
        """Return facts of the journal with the pauses of the facts file if these say more.

        The journal is some steps behind where a worker died in a pause.
        """
        try:
            path = facts.facts_path
            on_disk = self._disk.call(INTENT_SECONDS, read_facts, self._storage, path)
        except (gevent.Timeout, OSError, ValueError):
            return facts
        return facts.but(pauses=pauses.more_complete(facts.pauses, on_disk.pauses))

    def discard(self, facts: Facts) -> None:
        """Delete an empty recording: audio, facts, row."""
        try:
            for path in (facts.path, facts.facts_path):
                self._thread_of(facts).spawn(self._storage.delete, path).get()
        except OSError as error:
            log.warning("recording %s: an empty file was not removed: %s", facts.uid, error)
        self._outbox.put(ledger.forget_recording, facts.uid)

    def complete(
        self, facts: Facts, ended_at: datetime, reason: str, expected_ms: int | None
    ) -> Facts:
        """Return the final facts, read from the closed file, written and sent to the ledger."""
        read = self._disk.spawn(finalize, self._storage, facts, ended_at, reason, expected_ms)
        try:
            final = read.get()
        except OSError as error:
            problem = f"the file cannot be read: {error.strerror or error}"
            final = facts.but(state="failed", state_reason=problem, ended_at=ended_at)
        try:
            self.write(final).get()
        except OSError as error:
            log.error("RECORDINGS_DIR: the facts of a recording cannot be kept: %s", error)
        log.info("recording %s of call %s is %s", final.uid, final.call_uid, final.state)
        if final.state == "available":
            gevent.spawn(self._save_waveform, final)
        return final

    def _save_waveform(self, facts: Facts) -> None:
        """Store what the player shows. If that fails, the page computes it when it is opened."""
        try:
            shape = self._disk.spawn(self._waveform, facts).get()
        except (OSError, ValueError) as error:
            log.warning("recording %s: its waveform cannot be computed: %s", facts.uid, error)
        else:
            self._outbox.put(ledger.save_waveform, facts.uid, shape.to_bytes())

    def _waveform(self, facts: Facts) -> waveform.Waveform:
        # The path is resolved here too, in a thread: a disk that hangs would stop all calls.
        return waveform.measure(self._storage.resolve(facts.path))

    def _thread_of(self, facts: Facts) -> NativeThreads:
        return self._facts[hash(facts.uid) % DISK_THREADS]

    # Asterisk

    def stop(self, facts: Facts) -> bool:
        """Ask Asterisk to close the file; False if it did not, perhaps because it is closed."""
        try:
            self.ari.stop_recording(facts.name)
        except AriError as error:
            if not error.gone:
                log.warning("recording %s was not stopped: %s", facts.uid, error)
            return False
        return True

    def pause(self, facts: Facts) -> None:
        """Ask Asterisk to stop writing audio until `resume`. Raises AriError."""
        self.ari.pause_recording(facts.name)

    def resume(self, facts: Facts) -> None:
        """Ask Asterisk to write audio again. Raises AriError."""
        self.ari.resume_recording(facts.name)

    def is_live(self, facts: Facts) -> bool:
        """Return True if Asterisk records this, or is about to."""
        return self.live_state(facts) in ("queued", "recording", "paused")

    def live_state(self, facts: Facts) -> str:
        """Return Asterisk's state: `queued`, `recording`…, `gone`, or `` if it does not answer."""
        try:
            live = self.ari.live_recording(facts.name)
        except AriError as error:
            log.warning("recording %s: its state is not known: %s", facts.uid, error)
            return ""
        return "gone" if live is None else str(live.get("state", ""))

    # The folder

    def folder_problem(self) -> str | None:
        """Return why nothing can be recorded at the moment, or None."""
        try:
            return self._disk.call(INTENT_SECONDS, folder_problem, self._storage)
        except gevent.Timeout:
            return "RECORDINGS_DIR: the disk does not answer"

    def is_silent(self, facts: Facts, if_empty: bool) -> bool:
        """Return True if nobody speaks in the file; `if_empty` for a file without audio or none."""
        try:
            return self._disk.spawn(self._is_silent, facts, if_empty).get()
        except FileNotFoundError:
            return if_empty
        except (OSError, ValueError):
            return False

    def _is_silent(self, facts: Facts, if_empty: bool) -> bool:
        return samples.is_silent(self._storage.resolve(facts.path), if_empty)
