"""Folder walk: every file below a folder, sorted as the rows of recordings are by path."""

import contextlib
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from operator import itemgetter
from pathlib import Path
from typing import NamedTuple

# Temporary folders of `flask doctor`. Not hidden: Asterisk cannot copy into hidden folders.
PROBE_PREFIX = "doctor-"
# Created by the file system; only root can read it.
_SYSTEM_FOLDER = "lost+found"


class FileEntry(NamedTuple):
    """A file: its path relative to the folder, its size (None for a link or device), its mtime."""

    path: str
    size_bytes: int | None
    modified_at: datetime


def walk(root: Path) -> Iterator[FileEntry]:
    """Yield every file under `root`, sorted by the bytes of its whole path.

    Holds one folder of each depth in memory. Leaves out hidden files and folders, and the temporary
    ones of `flask doctor`. Raises OSError for a folder that cannot be read, because the recordings
    in it are not missing.
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
    """Return the sorted paths in a folder; folders end in / and have no status. Raises OSError."""
    with os.scandir(root / folder) as there:
        wanted = [_named(entry) for entry in there if not entry.name.startswith(".")]
    # By code points as by the bytes of UTF-8, unless a name is not UTF-8; that takes longer.
    if all(pair[0].isascii() for pair in wanted):
        wanted.sort(key=itemgetter(0))
    else:
        wanted.sort(key=lambda pair: os.fsencode(pair[0]))
    return iter([(folder + name, status) for name, status in wanted if name])


def file_entry(path: str, status: os.stat_result) -> FileEntry:
    """Return the entry of a file from its status."""
    size = status.st_size if stat.S_ISREG(status.st_mode) else None
    return FileEntry(path, size, datetime.fromtimestamp(status.st_mtime, UTC))


def _named(entry: "os.DirEntry[str]") -> tuple[str, os.stat_result | None]:
    """Return the name and status of an entry, a folder with / and None; no name to leave it out."""
    if entry.is_dir(follow_symlinks=False):
        passing = entry.name.startswith(PROBE_PREFIX) or entry.name == _SYSTEM_FOLDER
        return ("" if passing else f"{entry.name}/", None)
    try:
        return entry.name, entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return "", None
