"""The only code that opens, moves or deletes a file under RECORDINGS_DIR."""

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from callytics.storage.folder_walk import FileEntry, entries, file_entry, walk

# Facts are under 2 KB; a file that someone made very large must not fill the memory.
_FACTS_BYTES = 1 << 20
# What the system says of a path that no recording of ours can have.
_IMPOSSIBLE = (errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENXIO, errno.EISDIR)

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_NONBLOCK


class StorageError(OSError):
    """The folder cannot be used as asked; the message says why in words."""


class Storage:
    """The folder that Asterisk, the worker and the web share.

    A path comes from a row or from a facts file, and either may be forged. So it is checked by
    its words and then walked folder by folder, following no link: nobody who may write here can
    lead us out of here, not even by changing a folder into a link at the last moment.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def resolve(self, path: str) -> Path:
        """The full path of a file under the folder, whether it is there or not.

        Raises StorageError for a path that leaves the folder or goes through a link.
        """
        full = self.root.resolve().joinpath(*_parts(path))
        if full.resolve() != full:
            raise StorageError("a recording's path goes through a link")
        return full

    def open(self, path: str) -> BufferedReader:
        """Open a file for reading. Raises FileNotFoundError, StorageError, OSError."""
        # Opening a FIFO would wait for someone who writes to it.
        file = self._open(path, os.O_RDONLY | os.O_NONBLOCK)
        if stat.S_ISREG(os.fstat(file).st_mode):
            return os.fdopen(file, "rb")
        os.close(file)
        raise StorageError("a recording's path is not a file")

    def size(self, path: str) -> int | None:
        """Bytes of a file, or None when there is none. Raises StorageError, OSError."""
        try:
            with self.open(path) as file:
                return os.fstat(file.fileno()).st_size
        except FileNotFoundError:
            return None

    def delete(self, path: str) -> bool:
        """Remove a file; False when it was gone already.

        Raises StorageError, and OSError when it cannot go.
        """
        *folders, name = _parts(path)
        try:
            with self._folder(folders) as folder:
                os.unlink(name, dir_fd=folder)
        except FileNotFoundError:
            return False
        return True

    def delete_folder(self, path: str) -> None:
        """Remove a folder that is empty. Raises StorageError, OSError."""
        *folders, name = _parts(path)
        with self._folder(folders) as folder:
            os.rmdir(name, dir_fd=folder)

    def write(self, path: str, content: bytes, durable: bool = True) -> None:
        """Write a file, whole or not at all. Raises StorageError, OSError.

        One that is not `durable` survives the end of any process, but perhaps not that of the
        machine; it takes a tenth of the time, and a busy disk does not hold it up.
        """
        *folders, name = _parts(path)
        self._make_folders(folders)
        draft = f"{name}.new"
        with self._folder(folders) as folder:
            with os.fdopen(os.open(draft, _NEW_FILE, 0o644, dir_fd=folder), "wb") as file:
                file.write(content)
                file.flush()
                if durable:
                    os.fsync(file.fileno())
            os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)

    def read(self, path: str, limit: int | None = None) -> bytes:
        """Return the bytes of a file, at most `limit`.

        Raises FileNotFoundError, StorageError, OSError.
        """
        with self.open(path) as file:
            return file.read(-1 if limit is None else limit)

    def sync(self, path: str) -> None:
        """Make a file durable that was written without. Raises StorageError, OSError."""
        with self.open(path) as file:
            os.fsync(file.fileno())

    def names(self, folder: str) -> list[str]:
        """Return the sorted names in a folder, none if there is no such folder. Raises OSError."""
        with contextlib.suppress(FileNotFoundError), self._folder(_parts(folder)) as there:
            listed = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=there)
            try:
                with os.scandir(listed) as found:
                    return sorted(entry.name for entry in found)
            finally:
                os.close(listed)
        return []

    def find(self, path: str) -> FileEntry | None:
        """What the walk would say of one file, or None. Raises StorageError, OSError."""
        *folders, name = _parts(path)
        try:
            with self._folder(folders) as folder:
                return file_entry(path, os.stat(name, dir_fd=folder, follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def sha256(self, path: str) -> str:
        """The checksum of a file, read piece by piece. Raises StorageError, OSError."""
        with self.open(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def set_aside(self, path: str) -> None:
        """Give a file that cannot be used another name. Raises StorageError, OSError."""
        *folders, name = _parts(path)
        with self._folder(folders) as folder:
            os.replace(name, f"{name}.unusable", src_dir_fd=folder, dst_dir_fd=folder)

    def is_bare(self) -> bool:
        """Whether nothing at all is in the folder, as where a disk is not mounted."""
        return next(entries(self.root, ""), None) is None

    def walk(self) -> Iterator[FileEntry]:
        """Every file under the folder; see `walk.walk`. Raises OSError."""
        return walk(self.root)

    def free_bytes(self) -> int:
        """Room left where the folder is. Raises OSError."""
        return shutil.disk_usage(self.root).free

    def problem(self) -> str | None:
        """Why nothing can be recorded here, in words, or None."""
        if not self.root.is_dir():
            return (
                f"RECORDINGS_DIR: the folder {self.root} does not exist; "
                "set it to the folder that Asterisk records to"
            )
        if not os.access(self.root, os.R_OK | os.W_OK | os.X_OK):
            return (
                f"RECORDINGS_DIR: the folder {self.root} cannot be read and written; "
                "let the user that Callytics runs as do both"
            )
        return None

    def _open(self, path: str, flags: int) -> int:
        *folders, name = _parts(path)
        try:
            with self._folder(folders) as folder:
                return os.open(name, flags | os.O_NOFOLLOW, dir_fd=folder)
        except OSError as error:
            if error.errno in _IMPOSSIBLE:
                raise StorageError("a recording's path is not a file of the folder") from error
            raise

    @contextlib.contextmanager
    def _folder(self, names: list[str]) -> Iterator[int]:
        """A descriptor of a folder below the root, reached without following a link."""
        at = os.open(self.root, os.O_PATH | os.O_DIRECTORY)
        try:
            for name in names:
                below = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
                os.close(at)
                at = below
            yield at
        finally:
            os.close(at)

    def _make_folders(self, names: list[str]) -> None:
        for depth in range(len(names)):
            *above, name = names[: depth + 1]
            with self._folder(above) as folder, contextlib.suppress(FileExistsError):
                os.mkdir(name, dir_fd=folder)
                self._share(name, folder)

    def _share(self, name: str, folder: int) -> None:
        """Let Asterisk, which often runs as another user, write to a folder that we made."""
        root = self.root.stat()
        made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        try:
            with contextlib.suppress(PermissionError):
                os.fchown(made, root.st_uid, root.st_gid)
            os.fchmod(made, stat.S_IMODE(root.st_mode))
        finally:
            os.close(made)


def _parts(path: str) -> list[str]:
    """The names of a path from the root on. Raises StorageError unless each is plain."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise StorageError("a recording's path leads out of RECORDINGS_DIR")
    try:
        if b"\0" in os.fsencode(path):
            raise StorageError("a recording's path is malformed")
    except UnicodeEncodeError as error:
        raise StorageError("a recording's path is malformed") from error
    return parts
