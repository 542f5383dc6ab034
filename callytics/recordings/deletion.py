"""Deleting a recording for good."""

from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from typing import Any

from callytics.audit import access_log
from callytics.recordings import ledger
from callytics.recordings.facts import OPEN_STATES
from callytics.storage.folder import Storage


class DeletionError(Exception):
    """A recording that stays; the message says why, and what to do."""


def delete_recording(storage: Storage, row: Any, username: str) -> None:
    """Delete what `row` (uid, state, path) stands for. Raises DeletionError and keeps the row.

    A file that is gone already is no obstacle.
    """
    if row.state in OPEN_STATES:
        raise DeletionError(
            "This call is still being recorded. Wait until it has ended, then delete it. "
            "If no such call is going on, `flask recordings reconcile` puts that right."
        )
    try:
        for step in deletion_steps(storage, row, username):
            step()
    except OSError as error:
        reason = getattr(error, "strerror", None) or str(error)
        access_log.note_access(username, "delete", row.uid, f"{access_log.FAILED}{reason}")
        raise DeletionError(
            f"The file could not be deleted ({reason}), so the recording stays in the list. "
            "`flask doctor` on the server says whether its folder can be written."
        ) from error


def deletion_steps(storage: Storage, row: Any, username: str) -> tuple[Callable[[], Any], ...]:
    """Audit, file, facts, row: what is done one after the other, and may be repeated.

    The audit comes first, so that a deletion which was interrupted can be told from a loss, and
    be finished. The row goes last: while it is there, somebody can see that something is left.
    """
    # Facts that stayed would bring the row back when the library is rebuilt from the folder.
    facts_path = str(PurePosixPath(row.path).with_suffix(".json"))
    return (
        partial(access_log.note_access, username, "delete", row.uid, row.path),
        partial(storage.delete, row.path),
        partial(storage.delete, facts_path),
        partial(ledger.forget_recording, row.uid),
    )
