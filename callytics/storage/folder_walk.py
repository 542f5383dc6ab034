"""Every file of a folder, in an order in which it can be compared with rows."""

import contextlib
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

# Folders in which the doctor tries something. Not hidden: Asterisk cannot copy into those.
PROBE_PREFIX = "doctor-"
# Where a file system puts what it found after a crash; only root may look into it.
_SYSTEM_FOLDER = "lost+found"


class FileEntry(NamedTuple):
    """A file, relative to the folder. Its size is None where it is no plain file, as a link."""

    path: str
    size_bytes: int | None
    modified_at: datetime


def walk(root: Path) -> Iterator[FileEntry]:
    """Every file under `root`, in the order of the bytes of their whole paths.

    Held in memory is one folder at each depth. Left out are hidden files and folders, and the
    doctor's of a moment. Raises OSError for a folder that cannot be read: its recordings are not
    missing.
    """
    levels = [entries(root, "")]
    while levels:
        path, status = next(levels[-1], (None, None))
        if path is None:
            levels.pop()
        elif status is None:
            with contextlib.suppress(FileNotFoundError):
                levels.append(entries(root, path))
        else:
            yield file_entry(path, status)


def entries(root: Path, folder: str) -> Iterator[tuple[str, os.stat_result | None]]:
    """Paths in a folder, sorted; those of folders end in / and have no status. Raises OSError."""
    with os.scandir(root / folder) as there:
        wanted = [_named(entry) for entry in there if not entry.name.startswith(".")]
    wanted.sort(key=lambda pair: os.fsencode(pair[0]))
    return iter([(folder + name, status) for name, status in wanted if name])


def file_entry(path: str, status: os.stat_result) -> FileEntry:
    """What a status says of a file."""
    size = status.st_size if stat.S_ISREG(status.st_mode) else None
    return FileEntry(path, size, datetime.fromtimestamp(status.st_mtime, UTC))


def _named(entry: "os.DirEntry[str]") -> tuple[str, os.stat_result | None]:
    """The name of an entry, with / after a folder's, and its status; no name: leave it out."""
    if entry.is_dir(follow_symlinks=False):
        passing = entry.name.startswith(PROBE_PREFIX) or entry.name == _SYSTEM_FOLDER
        return ("" if passing else f"{entry.name}/", None)
    try:
        return entry.name, entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return "", None
