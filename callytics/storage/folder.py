"""Recordings folder: the only code that opens, renames or deletes files under RECORDINGS_DIR.

It stores bytes under relative paths, and knows nothing of their meaning.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from callytics.regular_files import OPEN_FLAGS, IrregularFileError, regular
from callytics.storage.drafts import share_file, sync_folder, write_draft
from callytics.storage.folder_walk import FileEntry, entries, file_entry, walk
from callytics.storage.private_files import SHARED_FILE

# Errors of the system for a path that cannot be the path of a file we wrote.
_IMPOSSIBLE = (errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ENXIO, errno.EISDIR)

# Names the folder: its id is also in the database. Hidden, so that no walk lists it.
MARKER = ".callytics-folder"


class StorageError(OSError):
    """A path or a file that is refused; the message says why."""


class Storage:
    """Folder that Asterisk, the worker and the web share.

    Paths come from rows and facts files, and either may be forged. So each path is checked, then
    opened folder by folder without following links: a link never leads out of the folder, even if
    somebody replaces a folder by one at the last moment.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        # Id that the marker of the folder must have; None while any folder will do.
        self.expected_id: str | None = None
        # Why this is another folder than that of the library, as seen when it was last looked at.
        self.wrong_folder = ""

    def resolve(self, path: str) -> Path:
        """Return the absolute path of a file, which need not exist.

        Raises StorageError for a path that leaves the folder or goes through a link.
        """
        full = self.root.resolve().joinpath(*_parts(path))
        if full.resolve() != full:
            raise StorageError("a recording's path goes through a link")
        return full

    def open(self, path: str) -> BufferedReader:
        """Open a file for reading. Raises FileNotFoundError, StorageError, OSError."""
        return self._open(path)

    def size(self, path: str) -> int | None:
        """Return the bytes of a file, or None without one. Raises StorageError, OSError."""
        try:
            with self.open(path) as file:
                return os.fstat(file.fileno()).st_size
        except FileNotFoundError:
            return None

    def delete(self, path: str) -> bool:
        """Delete a file for good, also if the power fails; return False if there was none.

        Raises StorageError, and OSError if it cannot be deleted.
        """
        *folders, name = _parts(path)
        try:
            with self._folder(folders) as folder:
                os.unlink(name, dir_fd=folder)
                sync_folder(folder)
        except FileNotFoundError:
            return False
        return True

    def delete_folder(self, path: str) -> None:
        """Delete an empty folder. Raises StorageError, OSError."""
        *folders, name = _parts(path)
        with self._folder(folders) as folder:
            os.rmdir(name, dir_fd=folder)

    def write(self, path: str, content: bytes, durable: bool = True) -> None:
        """Write a file atomically, and create its folders. Raises StorageError, OSError.

        Without `durable` it is not synced: it survives the end of any process, but may not survive
        a crash of the machine. That takes a tenth of the time, and does not wait for a busy disk.
        """
        *folders, name = _parts(path)
        self._make_folders(folders)
        with self._folder(folders) as folder:
            draft = write_draft(folder, name, content, durable)
            try:
                os.replace(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
            except BaseException:
                os.unlink(draft, dir_fd=folder)
                raise
            if durable:
                sync_folder(folder)

    def write_once(self, path: str, content: bytes) -> bool:
        """Write a file unless there is one; return True if it was written.

        Raises StorageError, OSError.
        """
        *folders, name = _parts(path)
        self._make_folders(folders)
        with self._folder(folders) as folder:
            draft = write_draft(folder, name, content, durable=True)
            try:
                os.link(draft, name, src_dir_fd=folder, dst_dir_fd=folder)
            except FileExistsError:
                return False
            finally:
                os.unlink(draft, dir_fd=folder)
            sync_folder(folder)
        return True

    def open_lock_file(self, path: str) -> int:
        """Open an empty file to be locked, and create it. Raises StorageError, OSError."""
        *folders, name = _parts(path)
        self._make_folders(folders)
        with self._folder(folders) as folder:
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            opened = os.open(name, flags, SHARED_FILE, dir_fd=folder)
            share_file(opened, folder)
            return opened

    def read(self, path: str, limit: int | None = None) -> bytes:
        """Return the bytes of a file that only Callytics writes, at most `limit`.

        Raises FileNotFoundError, StorageError, OSError.
        """
        # `write_once` makes a link for an instant.
        with self._open(path, links=True) as file:
            return file.read(-1 if limit is None else limit)

    def sync(self, path: str) -> None:
        """Sync a file that was written without `durable`. Raises StorageError, OSError."""
        with self.open(path) as file:
            os.fsync(file.fileno())
        *folders, _ = _parts(path)
        with self._folder(folders) as folder:
            sync_folder(folder)

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

    def stat(self, path: str) -> FileEntry | None:
        """Return the entry of one file as in `walk`, or None. Raises StorageError, OSError."""
        *folders, name = _parts(path)
        try:
            with self._folder(folders) as folder:
                return file_entry(path, os.stat(name, dir_fd=folder, follow_symlinks=False))
        except (FileNotFoundError, NotADirectoryError):
            return None

    def sha256(self, path: str) -> str:
        """Return the SHA-256 of a file, read in chunks. Raises StorageError, OSError."""
        with self.open(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def add_suffix(self, path: str, suffix: str) -> None:
        """Rename a file to its name plus `suffix`. Raises StorageError, OSError."""
        *folders, name = _parts(path)
        with self._folder(folders) as folder:
            os.replace(name, f"{name}{suffix}", src_dir_fd=folder, dst_dir_fd=folder)
            sync_folder(folder)

    def is_empty(self) -> bool:
        """Return True if the folder is empty, as when a disk is not mounted. Raises OSError."""
        return next(entries(self.root, ""), None) is None

    def walk(self) -> Iterator[FileEntry]:
        """Yield every file in the order of paths; see `folder_walk.walk`. Raises OSError."""
        return walk(self.root)

    def free_bytes(self) -> int:
        """Return the free space of the disk in bytes. Raises OSError."""
        return shutil.disk_usage(self.root).free

    def problem(self) -> str | None:
        """Return why the folder cannot be used, or None. Raises OSError."""
        return self.access_problem() or self.identity_problem()

    def identity_problem(self) -> str | None:
        """Return why this is not the expected folder, or None. Raises OSError."""
        if self.expected_id is None:
            return None
        found = self.folder_id()
        if found == self.expected_id:
            return None
        why = f"{MARKER} in it has another id" if found else f"there is no {MARKER} in it"
        return (
            f"RECORDINGS_DIR: {self.root} is not the folder of this library, since {why}: "
            "see whether the right folder is set and its disk is mounted"
        )

    def folder_id(self) -> str | None:
        """Return the id in the folder's marker file, or None without one. Raises OSError."""
        try:
            return self.read(MARKER, 100).decode(errors="replace").strip() or None
        except FileNotFoundError:
            return None

    def mark(self, folder_id: str) -> str:
        """Write the marker file unless there is one; return the id in it. Raises OSError."""
        self.write_once(MARKER, f"{folder_id}\n".encode())
        return self.folder_id() or folder_id

    def access_problem(self) -> str | None:
        """Return why the folder cannot be read or written, or None."""
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

    def _open(self, path: str, links: bool = False) -> BufferedReader:
        *folders, name = _parts(path)
        try:
            with self._folder(folders) as folder:
                return regular(os.open(name, OPEN_FLAGS, dir_fd=folder), links)
        except IrregularFileError as error:
            raise StorageError(str(error)) from error
        except OSError as error:
            if error.errno in _IMPOSSIBLE:
                raise StorageError("a recording's path is not a file of the folder") from error
            raise

    @contextlib.contextmanager
    def _folder(self, names: list[str]) -> Iterator[int]:
        """Open a folder below the root without following links, as a descriptor for `dir_fd`."""
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
                sync_folder(folder)

    def _share(self, name: str, folder: int) -> None:
        """Give a new folder the owner and mode of the root: Asterisk often runs as another user."""
        root = self.root.stat()
        made = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
        try:
            with contextlib.suppress(PermissionError):
                os.fchown(made, root.st_uid, root.st_gid)
            os.fchmod(made, stat.S_IMODE(root.st_mode))
        finally:
            os.close(made)


def _parts(path: str) -> list[str]:
    """Return the parts of a path. Raises StorageError unless each is a plain name."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise StorageError("a recording's path leads out of RECORDINGS_DIR")
    try:
        if b"\0" in os.fsencode(path):
            raise StorageError("a recording's path is malformed")
    except UnicodeEncodeError as error:
        raise StorageError("a recording's path is malformed") from error
    return parts
