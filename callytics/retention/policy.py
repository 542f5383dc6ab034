"""Retention by age: deletion of recordings older than the setting. Needs an app context."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, exists, func, select

from callytics.clock import utc_now
from callytics.database.reading import read
from callytics.integrity.inspection import CheckContext
from callytics.integrity.reconcile import Report, check_folder
from callytics.recordings.deletion import DeletionError, delete_recording
from callytics.recordings.facts import OPEN_STATES
from callytics.recordings.models import Recording, Tag
from callytics.recordings.sort_key import first_id_of_second
from callytics.settings.settings import all_settings

# Whoever puts this tag on a recording wants it to stay, however old it becomes.
KEEP_TAG = "keep"
# Who deletes, as the audit tells it.
USERNAME = "retention"
# How many are deleted between two breaths.
CHUNK = 100
_COUNTED = 100_000


def expired(days: int, most: int = _COUNTED) -> int:
    """Count recordings older than `days`, up to `most`; none for 0 days."""
    if not days:
        return 0
    some = select(Recording.id).where(*_old(days)).limit(most).subquery()
    return int(read(select(func.count()).select_from(some))[0][0])


def delete_expired(context: CheckContext) -> Iterator[Report]:
    """Delete what is older than the setting says; a report for every hundred recordings.

    Nothing is held between two reports, and the setting is read anew: somebody may think better
    of it. Raises FolderError where the folder is not that of this library: rows would go, and
    the files of a disk that is not mounted would come back without them.
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


def _delete(rows: Any, days: int, context: CheckContext) -> Report:
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
