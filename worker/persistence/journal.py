"""Journal of the calls in progress, from which a restarted worker adopts them.

One file per call beside the recordings, because that folder outlives worker, database and
container. No call waits for it: what it lacks, Asterisk's lists of channels and bridges show.
"""

import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from callytics.storage.folder import Storage
from worker.support.native_threads import NativeThreads

log = logging.getLogger(__name__)

# Hidden, so that the walk of the recordings skips it.
FOLDER = ".calls"
# A snapshot is some kilobytes; a file that someone made very large must not fill the memory.
LARGEST_BYTES = 1 << 20

Snapshot = dict[str, Any]


class Journal:
    """Snapshots of the calls in progress, on disk."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        # One thread, so that the snapshot written last is the one that stays.
        self._disk = NativeThreads(1)

    def write(self, call_uid: str, snapshot: Snapshot) -> None:
        """Queue the current state of a call for writing."""
        content = json.dumps(snapshot, default=datetime.isoformat).encode(errors="replace")
        self._disk.spawn(self._write, call_uid, content)

    def remove(self, call_uid: str) -> None:
        """Queue the removal of a call that has ended."""
        self._disk.spawn(self._remove, call_uid)

    def read(self) -> list[Snapshot]:
        """Return the snapshots of all calls that have not ended; unreadable ones are logged.

        Raises OSError.
        """
        return self._disk.spawn(lambda: list(self._snapshots())).get()

    def _snapshots(self) -> Iterator[Snapshot]:
        for name in self._storage.names(FOLDER):
            if not name.endswith(".json"):
                continue
            try:
                yield json.loads(self._storage.read(f"{FOLDER}/{name}", LARGEST_BYTES))
            except ValueError:
                log.error("a call in the journal cannot be read; what Asterisk knows applies")

    def _write(self, call_uid: str, content: bytes) -> None:
        try:
            # Not synced: if the machine goes down, so do the calls. Only the end of this process
            # must be survived, and that may come before a busy disk has taken anything.
            self._storage.write(f"{FOLDER}/{call_uid}.json", content, durable=False)
        except OSError as error:
            log.error("RECORDINGS_DIR: call %s would not survive a restart: %s", call_uid, error)

    def _remove(self, call_uid: str) -> None:
        try:
            self._storage.delete(f"{FOLDER}/{call_uid}.json")
        except OSError as error:
            log.error("RECORDINGS_DIR: call %s cannot be forgotten: %s", call_uid, error)
