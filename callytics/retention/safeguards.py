"""Safeguards of retention: reasons to refuse a run until somebody confirms it.

The wall clock alone must not decide about a deletion: one that is years ahead makes every
recording look old. Needs an app context.
"""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import func, select

from callytics.database.reading import read_first, reading
from callytics.recordings.models import Recording
from callytics.retention import runs

# Clocks of two hosts that are kept by NTP differ by less than a second.
CLOCK_TOLERANCE = timedelta(hours=1)
# The worker runs daily. After a longer pause, the clock may have jumped.
LONGEST_PAUSE = timedelta(days=14)
# The same where there was no run yet: the longest time without any recording.
LONGEST_SILENCE = timedelta(days=90)
# A share of fewer recordings than this says nothing.
FEW = 20


def clock_problem(now: datetime, asterisk_now: datetime | None) -> str:
    """Return why the clock of this host cannot be believed, or an empty text.

    `asterisk_now` is the clock of Asterisk, None if it does not answer.
    """
    return other_clock_problem(now, asterisk_now) or _pause_problem(now)


def other_clock_problem(now: datetime, asterisk_now: datetime | None) -> str:
    """Return that the clock of another host disagrees, or an empty text."""
    for name, other in (("Asterisk", asterisk_now), ("the database", _database_now())):
        if other is not None and abs(now - other) > CLOCK_TOLERANCE:
            return f"the clock of this host says {_day(now)}, that of {name} {_day(other)}"
    return ""


def _pause_problem(now: datetime) -> str:
    """Return that too much time has passed since Callytics last did anything, or an empty text."""
    last = runs.last_completed()
    if last is not None:
        if now - last > LONGEST_PAUSE:
            return f"the clock says {_day(now)}, and the last run was at {_day(last)}"
        return ""
    newest = _newest_recording()
    if newest is not None and now - newest > LONGEST_SILENCE:
        return f"the clock says {_day(now)}, and the newest recording is of {_day(newest)}"
    return ""


def share_problem(expired: int, total: int, largest_share: int) -> str:
    """Return that `expired` of `total` recordings are more than the share, or an empty text."""
    if expired <= FEW or expired * 100 <= total * largest_share:
        return ""
    return (
        f"{expired} of {total} recordings would be deleted, "
        f"more than retention_largest_share, {largest_share} %"
    )


def _database_now() -> datetime | None:
    """Return the clock of a PostgreSQL server; SQLite has that of this host."""
    with reading() as connection:
        if connection.dialect.name == "sqlite":
            return None
        return cast(datetime, connection.scalar(select(func.clock_timestamp())))


def _newest_recording() -> datetime | None:
    row = read_first(select(Recording.started_at).order_by(Recording.id.desc()).limit(1))
    return None if row is None else cast(datetime, row.started_at)


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
