"""Sequential access to the recordings folder: the folder that was used last stays open.

Opening the folders above a file takes longer than reading its first bytes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from typing import Self

from callytics.regular_files import OPEN_FLAGS, check_regular, regular
from callytics.storage.folder import Storage
from callytics.storage.folder_walk import FileEntry, file_entry


class SequentialStorage(Storage):
    """Recordings folder for one thread that goes through it in order.

    A folder stays the same one until `release`, also if somebody puts another in its place.
    """

    def __init__(self, inner: Storage) -> None:
        super().__init__(inner.root)
        self.expected_id, self.wrong_folder = inner.expected_id, inner.wrong_folder
        self._path, self._held = "", -1

    def head(self, path: str, most: int) -> tuple[bytes, int]:
        """Return the first bytes of a file, at most `most`, and its size.

        Raises OSError.
        """
        name = self._name_at_hand(path)
        if name is None:
            # Opens the folder for those that follow.
            with self.open(path) as opened:
                return opened.read(most), os.fstat(opened.fileno()).st_size
        file = os.open(name, OPEN_FLAGS, dir_fd=self._held)
        try:
            status = os.fstat(file)
            check_regular(status)
            return os.pread(file, most, 0), status.st_size
        finally:
            os.close(file)

    def stat(self, path: str) -> FileEntry | None:
        """Return the entry of one file as in `walk`, or None. Raises StorageError, OSError."""
        name = self._name_at_hand(path)
        if name is None:
            return super().stat(path)
        try:
            return file_entry(path, os.stat(name, dir_fd=self._held, follow_symlinks=False))
        except FileNotFoundError:
            return None

    def _open(self, path: str, links: bool = False) -> BufferedReader:
        name = self._name_at_hand(path)
        if name is None:
            return super()._open(path, links)
        try:
            return regular(os.open(name, OPEN_FLAGS, dir_fd=self._held), links)
        except OSError:
            # The same error, in words.
            return super()._open(path, links)

    def _name_at_hand(self, path: str) -> str | None:
        """Return the name of a file in the folder that is open, or None for any other path."""
        folder, _, name = path.rpartition("/")
        plain = name.isascii() and "\0" not in name and name not in ("", ".", "..")
        return name if self._held >= 0 and folder == self._path and plain else None

    def release(self) -> None:
        """Close the folder that is open."""
        if self._held >= 0:
            os.close(self._held)
            self._held = -1

    def __enter__(self) -> Self:
        """Return this storage, to be released at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the folder that is open."""
        self.release()

    @contextmanager
    def _folder(self, names: list[str]) -> Iterator[int]:
        path = "/".join(names)
        if self._held < 0 or path != self._path:
            self.release()
            with super()._folder(names) as opened:
                self._held, self._path = os.dup(opened), path
        yield self._held
