"""Retention by age: deletion of recordings older than the setting. Needs an app context."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy import ColumnElement, exists, func, select

from callytics.clock import utc_now
from callytics.database.reading import read
from callytics.integrity.inspection import CheckContext
from callytics.integrity.reconcile import Report, check_folder
from callytics.recordings.deletion import DeletableRow, DeletionError, delete_recording
from callytics.recordings.facts import OPEN_STATES
from callytics.recordings.models import Recording, Tag
from callytics.recordings.sort_key import first_id_of_second
from callytics.settings.settings import all_settings

# Recordings with this tag are never deleted by age.
KEEP_TAG = "keep"
# User name of the deletions in the audit log.
USERNAME = "retention"
# Recordings of one report; the caller may pause between two reports.
CHUNK = 100
_COUNTED = 100_000


def expired(days: int, most: int = _COUNTED) -> int:
    """Count recordings older than `days`, up to `most`; none for 0 days."""
    if not days:
        return 0
    some = select(Recording.id).where(*_old(days)).limit(most).subquery()
    return int(read(select(func.count()).select_from(some))[0][0])


def delete_expired(context: CheckContext) -> Iterator[Report]:
    """Delete recordings older than the setting; yield a report for each CHUNK of them.

    No transaction or file is open between two reports, and the setting is read again for each, so
    a change of it takes effect at once. Raises FolderError if the folder is not the one of these
    rows: if its disk were not mounted, the rows would be deleted and the files would stay.
    """
    place = -1
    while days := int(all_settings()["retention_days"]):
        check_folder(context)
        columns = (Recording.id, Recording.uid, Recording.state, Recording.path)
        old = select(*columns).where(*_old(days), Recording.id > place)
        rows = read(old.order_by(Recording.id).limit(CHUNK))
        if not rows:
            return
        place = rows[-1].id
        yield _delete(rows, days, context)


def _delete(rows: Sequence[DeletableRow], days: int, context: CheckContext) -> Report:
    report = Report(checked=len(rows))
    for row in rows:
        try:
            delete_recording(context.storage, row, USERNAME)
            report.problems.append(f"{row.path}: older than {days} days → deleted")
        except DeletionError as error:
            report.failures.append(f"{row.path}: {error}")
    return report


def _old(days: int) -> tuple[ColumnElement[bool], ...]:
    kept = exists().where(Tag.recording_uid == Recording.uid, Tag.tag == KEEP_TAG)
    before = first_id_of_second(utc_now() - timedelta(days=days))
    return (Recording.id < before, Recording.state.not_in(OPEN_STATES), ~kept)
