"""The only code that reads calls for pages. Needs an app context."""

from datetime import timedelta
from itertools import product
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    ScalarSelect,
    func,
    literal_column,
    select,
    union,
    union_all,
)

from callytics.calls.models import Call
from callytics.database.paging import Listing
from callytics.database.reading import read_named
from callytics.recordings.facts import DIRECTIONS, KINDS
from callytics.recordings.models import Recording

# Not a disposition but the lack of an end: a call is answered long before it is over.
IN_PROGRESS = "in_progress"
# States of a recording that should be there and cannot be played.
LOST_STATES = ("failed", "missing")
# The newest that are looked at for what went wrong, in calls and in recordings; a host where more
# goes wrong than that has other worries than the older ones.
MOST_WITH_PROBLEM = 1000

_COLUMNS = tuple(Call.__table__.columns)
_POSITION = (Call.started_at, Call.id)


def calls(result: str | None = None, with_problem: bool = False) -> Listing:
    """The calls that ended with the disposition `result`, or are IN_PROGRESS, or all.

    `with_problem` leaves those where something that should have been recorded was not.
    """
    where = []
    if with_problem:
        where.append(_has_problem())
    if result == IN_PROGRESS:
        where.append(Call.ended_at.is_(None))
    elif result is not None:
        # Calls with a problem are far fewer than those of any result: an index of all of these,
        # which a function call rules out, would have SQLite look at each of them.
        ended_so = func.coalesce(Call.disposition, "") if with_problem else Call.disposition
        where += [ended_so == result, Call.ended_at.is_not(None)]
    return Listing(_COLUMNS, _POSITION, tuple(where))


def call(uid: str) -> Row[Any] | None:
    """The row of one call, or None."""
    return read_named(select(*_COLUMNS).where(Call.uid == uid), uid)


def _has_problem() -> ColumnElement[bool]:
    # As a set of ids, each half by its own index: an OR over both tables would read every call.
    # The empty text is written out: PostgreSQL's plan for any parameter at all cannot use an index
    # of some rows.
    said = select(Call.id).where(Call.problem != literal_column("''"))
    said = said.order_by(Call.id.desc()).limit(MOST_WITH_PROBLEM)
    lost = (
        select(Call.id)
        .join(Recording, Recording.call_uid == Call.uid)
        .where(Recording.id.in_(_newest_lost()))
    )
    return Call.id.in_(union(select(said.subquery().c.id), lost).scalar_subquery())


def _newest_lost() -> ScalarSelect[int]:
    """Each combination of the three is a range of one index, in order of time."""
    parts = [
        select(Recording.id)
        .where(Recording.state == state, Recording.kind == kind, Recording.direction == direction)
        .order_by(Recording.id.desc())
        .limit(MOST_WITH_PROBLEM)
        .subquery()
        for state, kind, direction in product(LOST_STATES, KINDS, DIRECTIONS)
    ]
    every = union_all(*(select(part.c.id) for part in parts)).subquery()
    newest = select(every.c.id).order_by(every.c.id.desc()).limit(MOST_WITH_PROBLEM)
    return select(newest.subquery().c.id).scalar_subquery()


def wait_ms(call: Any) -> int | None:
    """How long the caller of a row waited for an answer or in vain; None while they still do."""
    until = call.answered_at or call.ended_at
    return _ms(until - call.started_at) if until else None


def talk_ms(call: Any) -> int | None:
    """How long the people of a row talked; None if they did not, or still do."""
    talked = call.answered_at and call.ended_at
    return _ms(call.ended_at - call.answered_at) if talked else None


def _ms(length: timedelta) -> int:
    return max(0, length // timedelta(milliseconds=1))
