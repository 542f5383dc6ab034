"""Reads of calls for pages and commands. Needs an app context."""

from datetime import datetime, timedelta
from itertools import product
from typing import Protocol, cast

from sqlalchemy import (
    ColumnElement,
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
from callytics.json_values import JsonObject
from callytics.recordings.facts import DIRECTIONS, KINDS
from callytics.recordings.models import Recording

# Filter for calls without an end. Not a disposition: an answered call has one before it ends.
IN_PROGRESS = "in_progress"
# States of a recording that should exist and cannot be played.
LOST_STATES = ("failed", "missing")
# Bound of the filter for problems, in calls and in recordings. An installation with more problems
# has worse to do than read the older ones.
MOST_WITH_PROBLEM = 1000

_COLUMNS = tuple(Call.__table__.columns)
_POSITION = (Call.started_at, Call.id)


class CallRow(Protocol):
    """Row of a call, as the database returns it."""

    id: int
    uid: str
    direction: str
    caller_number: str
    caller_name: str
    dialed_number: str
    callee: str
    flow: str
    path: list[JsonObject]
    disposition: str | None
    hangup_cause: int | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    pbx: str
    asterisk: str
    problem: str


def calls(result: str | None = None, with_problem: bool = False) -> Listing[CallRow]:
    """Return the list of calls, newest first.

    `result` is a disposition or IN_PROGRESS. `with_problem` selects the calls that have a problem,
    or a recording that was lost.
    """
    where: list[ColumnElement[bool]] = []
    if with_problem:
        where.append(_has_problem())
    if result == IN_PROGRESS:
        where.append(Call.ended_at.is_(None))
    elif result is not None:
        # Few calls have a problem and many have any one disposition, so SQLite must not use the
        # index of dispositions here: a function call prevents it.
        column = func.coalesce(Call.disposition, "") if with_problem else Call.disposition
        where += [column == result, Call.ended_at.is_not(None)]
    return Listing(_COLUMNS, _POSITION, tuple(where))


def call(uid: str) -> CallRow | None:
    """Return the row of one call, or None."""
    query = select(*_COLUMNS).where(Call.uid == uid)
    return cast(CallRow | None, read_named(query, uid))


def _has_problem() -> ColumnElement[bool]:
    # A set of ids, each half from its own index: an OR over both tables would read every call.
    # The empty text is a literal: with a parameter, PostgreSQL's plan cannot use a partial index.
    own = select(Call.id).where(Call.problem != literal_column("''"))
    own = own.order_by(Call.id.desc()).limit(MOST_WITH_PROBLEM)
    lost = (
        select(Call.id)
        .join(Recording, Recording.call_uid == Call.uid)
        .where(Recording.id.in_(_newest_lost()))
    )
    return Call.id.in_(union(select(own.subquery().c.id), lost).scalar_subquery())


def _newest_lost() -> ScalarSelect[int]:
    """Select the newest lost recordings; each combination of the three is one index range."""
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


def wait_ms(call: CallRow) -> int | None:
    """Return the time until the answer, or the end without one, in ms; None while it rings."""
    until = call.answered_at or call.ended_at
    return _ms(until - call.started_at) if until else None


def talk_ms(call: CallRow) -> int | None:
    """Return the time from the answer to the end in ms; None without either."""
    if call.answered_at is None or call.ended_at is None:
        return None
    return _ms(call.ended_at - call.answered_at)


def _ms(length: timedelta) -> int:
    return max(0, length // timedelta(milliseconds=1))
