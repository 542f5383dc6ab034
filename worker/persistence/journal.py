"""Journal of the calls in progress, from which a restarted worker adopts them.

One file per call, in a folder of the PBX beside the recordings, because that outlives worker,
database and container. No call waits for it: what it lacks, Asterisk's lists of channels and
bridges show.
"""

import json
import logging
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from callytics.identifiers import is_uid
from callytics.json_values import JsonObject
from callytics.pbx.names import is_pbx_name
from callytics.storage.folder import Storage
from worker.support.native_threads import NativeThreads

log = logging.getLogger(__name__)

# Hidden, so that the walk of the recordings skips it.
FOLDER = ".calls"
# A snapshot is some kilobytes; a file that someone made very large must not fill the memory.
LARGEST_BYTES = 1 << 20
# The longest wait for a disk that may hang, in which nobody leads the calls of the process before.
READ_SECONDS = 5.0
# Added to the name of a file that cannot be used, so that it is read no more but can be looked at.
SET_ASIDE = ".unreadable"
# End of the name of a file that the storage has not yet renamed to its own.
DRAFT_SUFFIX = ".new"

Snapshot = JsonObject


class Entry(NamedTuple):
    """A call in the journal; `snapshot` is None if the file is not one, and was set aside."""

    call_uid: str
    snapshot: Snapshot | None


class Journal:
    """Snapshots of the calls in progress of one PBX, on disk."""

    def __init__(self, storage: Storage, pbx: str) -> None:
        self._storage, self._pbx, self._folder = storage, pbx, folder_of(pbx)
        # One thread, so that the snapshot written last is the one that stays.
        self._disk = NativeThreads(1)
        # The last snapshot of each call, which makes those that still wait for the disk needless.
        self._latest: dict[str, Snapshot] = {}

    def write(self, call_uid: str, snapshot: Snapshot) -> None:
        """Queue the current state of a call for writing; the snapshot must not change any more."""
        self._latest[call_uid] = snapshot
        self._disk.spawn(self._write, call_uid, snapshot)

    def remove(self, call_uid: str) -> None:
        """Queue the removal of a call that has ended."""
        self._latest.pop(call_uid, None)
        self._disk.spawn(self._remove, f"{call_uid}.json")

    def read(self) -> list[Entry]:
        """Return all calls that have not ended. Raises OSError, and gevent.Timeout."""
        return self._disk.call(READ_SECONDS, lambda: list(self._entries()))

    def set_aside(self, call_uid: str) -> None:
        """Queue the renaming of a snapshot that no call can be continued from."""
        self._disk.spawn(self._set_aside, f"{call_uid}.json", "it is not a call of this version")

    def take_over(self, predecessor: str) -> None:
        """Queue the move of a predecessor's calls into this journal, before they are read.

        Before PBXs had names, the calls of all workers lay in one folder.
        """
        self._disk.spawn(self._take_over, predecessor)

    def _take_over(self, predecessor: str) -> None:
        for folder in (folder_of(predecessor) if is_pbx_name(predecessor) else "", FOLDER):
            for name in self._storage.names(folder) if folder else ():
                if name.endswith(".json"):
                    self._take_over_call(folder, name, predecessor)

    def _take_over_call(self, folder: str, name: str, predecessor: str) -> None:
        try:
            snapshot = self._snapshot(f"{folder}/{name}")
            call = snapshot["call"]
            if predecessor not in (call.pop("worker", ""), call.get("pbx")):
                return
            call["pbx"] = self._pbx
            self._storage.write(f"{self._folder}/{name}", json.dumps(snapshot).encode())
            self._storage.delete(f"{folder}/{name}")
        except (
            OSError,
            ValueError,
            LookupError,
            TypeError,
            AttributeError,
            RecursionError,
        ) as error:
            log.error("a call of %s in the journal cannot be taken over: %s", predecessor, error)

    def _entries(self) -> Iterator[Entry]:
        for name in self._storage.names(self._folder):
            call_uid = name.removesuffix(".json")
            if name.endswith(DRAFT_SUFFIX):
                # Of a worker that was killed while it wrote; this thread writes nothing just now.
                self._remove(name)
            if call_uid == name or not is_uid(call_uid):
                continue
            try:
                yield Entry(call_uid, self._snapshot(f"{self._folder}/{name}"))
            except FileNotFoundError:
                # The call has ended meanwhile.
                continue
            except (OSError, ValueError, RecursionError) as error:
                self._set_aside(name, error)
                yield Entry(call_uid, None)

    def _snapshot(self, path: str) -> Snapshot:
        """Raises ValueError, RecursionError, OSError for anything but a file of ours."""
        snapshot = json.loads(self._storage.read(path, LARGEST_BYTES))
        if not isinstance(snapshot, dict):
            raise ValueError("it is not a snapshot")
        return snapshot

    def _set_aside(self, name: str, reason: object) -> None:
        log.error(
            "%s/%s is set aside (%s); what Asterisk knows applies", self._folder, name, reason
        )
        try:
            self._storage.add_suffix(f"{self._folder}/{name}", SET_ASIDE)
        except OSError as error:
            log.error("RECORDINGS_DIR: %s/%s cannot be renamed: %s", self._folder, name, error)

    def _write(self, call_uid: str, snapshot: Snapshot) -> None:
        if self._latest.get(call_uid) is not snapshot:
            return
        content = json.dumps(snapshot, default=datetime.isoformat).encode(errors="replace")
        try:
            # Not synced: if the machine goes down, so do the calls. Only the end of this process
            # must be survived, and that may come before a busy disk has taken anything.
            self._storage.write(f"{self._folder}/{call_uid}.json", content, durable=False)
        except OSError as error:
            log.error("RECORDINGS_DIR: call %s would not survive a restart: %s", call_uid, error)

    def _remove(self, name: str) -> None:
        try:
            self._storage.delete(f"{self._folder}/{name}")
        except OSError as error:
            log.error("RECORDINGS_DIR: %s/%s cannot be removed: %s", self._folder, name, error)


def folder_of(pbx: str) -> str:
    """Return the folder of a PBX's calls, relative to RECORDINGS_DIR."""
    return f"{FOLDER}/{pbx}"
