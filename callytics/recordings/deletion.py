"""Deletion of a recording: its audit entry, its files, its row."""

from collections.abc import Callable
from functools import partial
from pathlib import PurePosixPath
from typing import Protocol

from callytics.audit import access_log
from callytics.audit.authors import Author
from callytics.recordings import ledger
from callytics.recordings.facts import OPEN_STATES
from callytics.recordings.folder_identity import load_identity
from callytics.storage.folder import Storage


class DeletionError(Exception):
    """A recording that could not be deleted; the message says why, and what to do."""


class DeletableRow(Protocol):
    """Columns of a recording that its deletion needs."""

    uid: str
    state: str
    path: str


def delete_recording(storage: Storage, row: DeletableRow, author: Author) -> None:
    """Delete a recording; a file that is already gone is no error.

    Raises DeletionError, and keeps the row, if the recording is live or its file cannot be deleted.
    """
    if row.state in OPEN_STATES:
        raise DeletionError(
            "This call is still being recorded. Wait until it has ended, then delete it. "
            "If no such call is going on, `flask recordings reconcile` puts that right."
        )
    try:
        load_identity(storage)
        if problem := storage.problem():
            raise DeletionError(f"Nothing was deleted. {problem}.")
        for step in deletion_steps(storage, row, author):
            step()
    except OSError as error:
        reason = getattr(error, "strerror", None) or str(error)
        access_log.log_access(author, "delete", row.uid, f"{access_log.FAILED}{reason}")
        raise DeletionError(
            f"The file could not be deleted ({reason}), so the recording stays in the list. "
            "`flask doctor` on the server says whether its folder can be written."
        ) from error


def deletion_steps(
    storage: Storage, row: DeletableRow, author: Author
) -> tuple[Callable[[], object], ...]:
    """Return the steps of a deletion in order: audit, audio, facts, row. Each may be repeated.

    The audit entry is first: it tells an interrupted deletion, which can be completed, from a lost
    file. The row is last: while anything is left, the recording is still listed.
    """
    # Facts that were left behind would restore the row when the library is rebuilt from the folder.
    facts_path = str(PurePosixPath(row.path).with_suffix(".json"))
    return (
        partial(access_log.log_access, author, "delete", row.uid, row.path),
        partial(storage.delete, row.path),
        partial(storage.delete, facts_path),
        partial(ledger.forget_recording, row.uid),
    )
