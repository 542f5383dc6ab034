"""Deleting a recording for good."""

from pathlib import PurePosixPath
from typing import Any

from callytics import ledger
from callytics.facts import OPEN_STATES
from callytics.storage import Storage, StorageError


class DeletionError(Exception):
    """A recording that stays; the message says why, and what to do."""


def delete_recording(storage: Storage, row: Any, username: str) -> None:
    """Delete what `row` (uid, state, path) stands for, in the order audit, file, facts, row.

    The row goes last: while it is there, somebody can see that something is left, and try again.
    A file that is gone already is no obstacle. Raises DeletionError and keeps the row.
    """
    if row.state in OPEN_STATES:
        raise DeletionError(
            "This call is still being recorded. Wait until it has ended, then delete it. "
            "If no such call is going on, `flask recordings reconcile` puts that right."
        )
    ledger.note_access(username, "delete", row.uid, row.path)
    try:
        storage.delete(row.path)
        # Facts that stayed would bring the row back when the library is rebuilt from the folder.
        storage.delete(str(PurePosixPath(row.path).with_suffix(".json")))
    except (OSError, StorageError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        ledger.note_access(username, "delete", row.uid, f"failed: {reason}")
        raise DeletionError(
            f"The file could not be deleted ({reason}), so the recording stays in the list. "
            "`flask doctor` on the server says whether its folder can be written."
        ) from error
    ledger.forget_recording(row.uid)
