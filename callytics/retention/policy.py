"""Retention by age: deletion of recordings older than the setting. Needs an app context."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, exists, func, select

from callytics.audit.authors import RETENTION
from callytics.clock import utc_now
from callytics.database.reading import read
from callytics.integrity.inspection import CheckContext
from callytics.integrity.reconcile import Report, check_folder
from callytics.recordings import notes
from callytics.recordings.deletion import DeletableRow, DeletionError, delete_recording
from callytics.recordings.facts import KEEP_TAG, OPEN_STATES
from callytics.recordings.facts_files import is_kept
from callytics.recordings.models import Recording, Tag
from callytics.recordings.sort_key import first_id_of_second
from callytics.retention import runs, safeguards
from callytics.settings.settings import all_settings

# Recordings of one report; the caller may pause between two reports.
CHUNK = 100
_COUNTED = 100_000


class RetentionRefused(Exception):
    """Run that deletes nothing until somebody confirms it; the message says why."""


@dataclass(frozen=True)
class Plan:
    """Recordings that a run would delete: those from before `cutoff`, None if there is none.

    `problem` is the reason not to delete them.
    """

    cutoff: datetime | None = None
    expired: int = 0
    problem: str = ""

    @property
    def refusal(self) -> str:
        """The problem and what to do about it, as sentences."""
        return (
            f"Retention deleted nothing: {self.problem}. See whether clock and settings are right; "
            "if they are, confirm the run on the settings page, or with flask retention run --yes"
        )


def expired(days: int, most: int = _COUNTED) -> int:
    """Count recordings older than `days`, up to `most`; none for 0 days."""
    return _count(utc_now() - timedelta(days=days), most) if days else 0


def plan(asterisk_now: datetime | None = None) -> Plan:
    """Return what a run would delete now; `asterisk_now` is Asterisk's clock if it answers."""
    settings, now = all_settings(), utc_now()
    days, share = int(settings["retention_days"]), int(settings["retention_largest_share"])
    cutoff = now - timedelta(days=days)
    count = _count(cutoff) if days else 0
    if not count:
        # The time of this run is compared with that of the next one.
        return Plan(problem=safeguards.other_clock_problem(now, asterisk_now))
    problem = safeguards.clock_problem(now, asterisk_now)
    return Plan(cutoff, count, problem or safeguards.share_problem(count, _total(), share))


def delete_expired(
    context: CheckContext,
    asterisk_now: Callable[[], datetime | None] = lambda: None,
    confirmed: bool = False,
) -> Iterator[Report]:
    """Delete recordings older than the setting; yield a report for each CHUNK of them.

    No transaction or file is open between two reports, and the setting is read again for each, so
    a change of it takes effect at once. Raises FolderError if the folder is not the one of these
    rows: if its disk were not mounted, the rows would be deleted and the files would stay. Raises
    RetentionRefused where clock or number of recordings are implausible and nobody has
    `confirmed` it; a run that was confirmed after its refusal goes up to its cutoff.
    """
    planned = plan(asterisk_now())
    if planned.cutoff is None:
        if not planned.problem:
            runs.add_run(None, 0, 0)
        return
    limit = planned.cutoff
    if planned.problem and not confirmed:
        allowed = runs.newest_confirmation()
        if allowed is None or allowed.cutoff is None:
            runs.add_run(planned.cutoff, planned.expired, 0, planned.problem)
            raise RetentionRefused(planned.refusal)
        limit = min(limit, allowed.cutoff)
    yield from _delete_before(limit, context, planned.expired)


def _delete_before(limit: datetime, context: CheckContext, planned: int) -> Iterator[Report]:
    place, deleted = -1, 0
    while days := int(all_settings()["retention_days"]):
        check_folder(context)
        cutoff = min(limit, utc_now() - timedelta(days=days))
        columns = (Recording.id, Recording.uid, Recording.state, Recording.path)
        old = select(*columns).where(*_old(cutoff), Recording.id > place)
        rows = read(old.order_by(Recording.id).limit(CHUNK))
        if not rows:
            break
        place = rows[-1].id
        report = _delete(rows, days, context)
        deleted += len(report.problems)
        yield report
    runs.add_run(limit, planned, deleted)


def _delete(rows: Sequence[DeletableRow], days: int, context: CheckContext) -> Report:
    report = Report(checked=len(rows))
    for row in rows:
        try:
            # The database may have been restored from before somebody added the tag.
            if is_kept(context.storage, row.path):
                notes.add_tag(row.uid, KEEP_TAG, RETENTION)
                report.skipped.append(f"{row.path}: its facts say {KEEP_TAG}; the tag is back")
                continue
            delete_recording(context.storage, row, RETENTION)
            report.problems.append(f"{row.path}: older than {days} days → deleted")
        except (DeletionError, OSError, notes.NoteError) as error:
            report.failures.append(f"{row.path}: {error}")
    return report


def _count(cutoff: datetime, most: int | None = None) -> int:
    some = select(Recording.id).where(*_old(cutoff))
    counted = (some.limit(most) if most else some).subquery()
    return int(read(select(func.count()).select_from(counted))[0][0])


def _total() -> int:
    return int(read(select(func.count()).select_from(Recording))[0][0])


def _old(cutoff: datetime) -> tuple[ColumnElement[bool], ...]:
    kept = exists().where(Tag.recording_uid == Recording.uid, Tag.tag == KEEP_TAG)
    return (Recording.id < first_id_of_second(cutoff), Recording.state.not_in(OPEN_STATES), ~kept)
