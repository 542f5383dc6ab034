"""Recordings folder as the web uses it: each operation in a thread, with a deadline."""

from io import BufferedReader

from flask import current_app

from callytics.storage.folder import Storage
from callytics.web.http.offload import run_on_disk

# A browser waits longer, but a request that waits keeps its connection to the database.
DISK_SECONDS = 3.0


def storage() -> Storage:
    """Return the recordings folder of the application, safe to use while its disk hangs."""
    return OffloadedStorage(current_app.extensions["storage"])


class OffloadedStorage(Storage):
    """Recordings folder whose disk may hang: each operation ends within DISK_SECONDS.

    Raises TimeoutError, an OSError, after them. The operation itself may still be carried out.
    """

    def __init__(self, inner: Storage) -> None:
        super().__init__(inner.root)
        self.expected_id, self._inner = inner.expected_id, inner

    def open(self, path: str) -> BufferedReader:
        """Open a file for reading. Raises FileNotFoundError, StorageError, OSError."""
        return run_on_disk(self._inner.open, path, seconds=DISK_SECONDS)

    def delete(self, path: str) -> bool:
        """Delete a file; return False if there was none. Raises StorageError, OSError."""
        return run_on_disk(self._inner.delete, path, seconds=DISK_SECONDS)

    def problem(self) -> str | None:
        """Return why the folder cannot be used, or None."""
        self._inner.expected_id = self.expected_id
        try:
            return run_on_disk(self._inner.problem, seconds=DISK_SECONDS)
        except TimeoutError:
            return f"RECORDINGS_DIR: the disk of {self.root} does not answer"
        except OSError as error:
            return f"RECORDINGS_DIR: {self.root} cannot be looked at ({error.strerror or error})"
