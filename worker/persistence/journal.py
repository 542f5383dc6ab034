"""Keeps what the worker must know to find its calls again after its own death.

A file a call, beside the recordings, since that folder outlives worker, database and container.
Nothing waits for it: what it lacks, Asterisk's own lists of channels and bridges tell.
"""

import json
import logging
from datetime import datetime
from typing import Any

from callytics.storage.folder import Storage, StorageError
from worker.support.native_threads import Threads

log = logging.getLogger(__name__)


class Journal:
    """The calls in progress, on disk."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        # One thread, so that what was said last of a call is what stays.
        self._disk = Threads(1)

    def keep(self, uid: str, snapshot: dict[str, Any]) -> None:
        """Begin to write how a call stands now."""
        content = json.dumps(snapshot, default=datetime.isoformat).encode(errors="replace")
        self._disk.spawn(self._write, uid, content)

    def drop(self, uid: str) -> None:
        """Begin to forget a call that has ended."""
        self._disk.spawn(self._remove, uid)

    def read(self) -> list[dict[str, Any]]:
        """Every call that was kept and not dropped; unreadable ones are logged and left out."""
        return self._disk.spawn(self._read).get()

    def _read(self) -> list[dict[str, Any]]:
        snapshots = []
        for content in self._storage.kept_calls():
            try:
                snapshots.append(json.loads(content))
            except ValueError:
                log.error("a call in the journal cannot be read; what Asterisk knows applies")
        return snapshots

    def _write(self, uid: str, content: bytes) -> None:
        try:
            self._storage.keep_call(uid, content)
        except (OSError, StorageError) as error:
            log.error("RECORDINGS_DIR: call %s would not survive a restart: %s", uid, error)

    def _remove(self, uid: str) -> None:
        try:
            self._storage.drop_call(uid)
        except (OSError, StorageError) as error:
            log.error("RECORDINGS_DIR: call %s cannot be forgotten: %s", uid, error)
