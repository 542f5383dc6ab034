"""File lock in the recordings folder, held until the process ends, however it ends."""

import fcntl
import os
from pathlib import Path

from callytics.storage.folder import Storage

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class FileLock:
    """Exclusive lock of a file. The kernel releases it at the end of the process.

    So a process that gets it knows that the one before is dead, also across containers that share
    the folder. May block for as long as the disk does.
    """

    def __init__(self, storage: Storage, path: str) -> None:
        self._storage, self._path = storage, path
        self._file: int | None = None

    def take(self) -> str:
        """Return a name of the lock, the same for all processes of this machine, if it is got.

        Empty if another process has it. Raises OSError if the folder cannot lock.
        """
        if self._file is None:
            file = self._storage.open_lock_file(self._path)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(file)
                return ""
            except OSError:
                os.close(file)
                raise
            self._file = file
        status = os.fstat(self._file)
        boot = _BOOT_ID.read_text().strip()
        return f"{boot} {status.st_dev}:{status.st_ino}"
