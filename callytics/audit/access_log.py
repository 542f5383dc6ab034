"""Access log: an entry for each action of a person on recordings. Needs an app context.

Only this module inserts audit entries.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, exists, insert

from callytics.audit.authors import Author, author_columns
from callytics.audit.models import AuditEntry
from callytics.clock import utc_now
from callytics.database.transactions import writing

# Prefix of `detail` for an action that failed.
FAILED = "failed: "
# Recordings that one entry of a bulk action names.
UIDS_OF_ENTRY = 500


def log_access(author: Author, action: str, recording_uid: str, detail: str = "") -> None:
    """Add an entry: `author` did `action` (play, download, delete, ...)."""
    with writing() as connection:
        add_entry(connection, author, action, recording_uid, detail)


def log_access_once(author: Author, action: str, recording_uid: str, within: timedelta) -> None:
    """Add an entry unless the same one was added less than `within` ago, by any process."""
    values = {**author_columns(author), "action": action, "recording_uid": recording_uid}
    same = [getattr(AuditEntry, name) == value for name, value in values.items()]
    recent = exists().where(*same, AuditEntry.at > utc_now() - within)
    with writing() as connection:
        if not connection.scalar(recent.select()):
            add_entry(connection, author, action, recording_uid)


def log_uids(author: Author, action: str, uids: Sequence[str]) -> None:
    """Add entries of an action on many recordings, whose uids are the words of `detail`."""
    with writing() as connection:
        for at in range(0, len(uids), UIDS_OF_ENTRY):
            add_entry(connection, author, action, "", " ".join(uids[at : at + UIDS_OF_ENTRY]))


def add_entry(
    connection: Connection, author: Author, action: str, recording_uid: str, detail: str = ""
) -> None:
    """Add an entry in a transaction of the caller, together with the action itself."""
    values = {**author_columns(author), "action": action, "recording_uid": recording_uid}
    connection.execute(insert(AuditEntry).values(at=utc_now(), detail=detail, **values))
