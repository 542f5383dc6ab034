"""Drafts: files that are written under a name of their own before they get the one that is read.

A folder is given as a descriptor for `dir_fd`, so that no link in its path is followed.
"""

import contextlib
import os
import secrets

from callytics.storage.private_files import SHARED_FILE

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW


def write_draft(folder: int, name: str, content: bytes, durable: bool) -> str:
    """Write `content` under a new name, since two may write the same file; return the name.

    Raises OSError, and leaves nothing then.
    """
    draft = f"{name}.{secrets.token_hex(4)}.new"
    with os.fdopen(os.open(draft, _NEW_FILE, SHARED_FILE, dir_fd=folder), "wb") as file:
        try:
            share_file(file.fileno(), folder)
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        except BaseException:
            os.unlink(draft, dir_fd=folder)
            raise
    return draft


def share_file(file: int, folder: int) -> None:
    """Let the group of the folder read a file of ours, whatever umask and group we have."""
    with contextlib.suppress(PermissionError):
        os.fchown(file, -1, os.stat(".", dir_fd=folder).st_gid)
        os.fchmod(file, SHARED_FILE)


def sync_folder(folder: int) -> None:
    """Sync the names in a folder: a rename or removal is lost in a power cut otherwise."""
    opened = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=folder)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
