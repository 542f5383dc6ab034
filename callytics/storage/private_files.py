"""Modes of files: database, keys and folders are for their owner alone.

The recordings folder is shared with Asterisk, by its group: folders 2770, files 640.
"""

import contextlib
import os
from pathlib import Path

SHARED_FOLDER = 0o2770
SHARED_FILE = 0o640


def keep_files_private() -> None:
    """Let what this process and its children create be for the owner alone."""
    os.umask(0o077)


def make_private(path: Path) -> None:
    """Take the rights of others from a file or folder, if it is there and ours."""
    if path.exists():
        change_mode(path, path.stat().st_mode & 0o700)


def change_mode(path: Path, mode: int) -> None:
    """Change the mode of a file or folder, if it is ours."""
    with contextlib.suppress(PermissionError):
        path.chmod(mode)


def readable_by_others(path: Path, group: bool = True) -> bool:
    """Return True if other users, or with `group` its group, may read a file or enter a folder.

    A folder above it that is closed to them closes all that is in it.
    """
    try:
        path = path.resolve()
        above = [folder.stat().st_mode for folder in path.parents]
        mode = path.stat().st_mode
    except OSError:
        return False
    for_others = mode & 0o007 and all(folder & 0o001 for folder in above)
    for_group = group and mode & 0o070 and all(folder & 0o011 for folder in above)
    return bool(for_others or for_group)
