"""The only code that reads recordings and workers for pages. Needs an app context."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Row, select, text

from callytics.database.reading import read, read_in_batches, read_named
from callytics.recordings.models import Recording
from callytics.recordings.pauses import Spans

# Of one call or one page of calls. Only a line that breaks all the time makes as many.
_MOST_OF_CALLS = 1000
_NOT_LISTED = ("peaks", "sha256", "search_text")
# The columns of a list's rows: all but those that are long and that no list shows.
COLUMNS = tuple(c for c in Recording.__table__.columns if c.name not in _NOT_LISTED)


class RecordingRow(Protocol):
    """Row of `COLUMNS`, as the database returns it."""

    id: int
    uid: str
    call_uid: str
    kind: str
    direction: str
    state: str
    state_reason: str
    caller_number: str
    caller_name: str
    dialed_number: str
    callee: str
    flow: str
    node: str
    started_at: datetime
    ended_at: datetime | None
    duration_ms: int | None
    format: str
    size_bytes: int | None
    path: str
    pauses: Spans


def newest(limit: int) -> Iterator[Row[Any]]:
    """The newest `limit` recordings, or all for 0, read while they are used."""
    query = select(*COLUMNS).order_by(Recording.id.desc())
    return read_in_batches(query.limit(limit) if limit else query)


def recording(uid: str) -> Row[Any] | None:
    """The row of one recording, or None."""
    return read_named(select(*COLUMNS, Recording.sha256).where(Recording.uid == uid), uid)


def recordings(uids: Sequence[str]) -> Sequence[Row[Any]]:
    """Those of these recordings that are there, in the order in which they are asked for."""
    order = {uid: number for number, uid in enumerate(uids)}
    rows = read(select(*COLUMNS).where(Recording.uid.in_(uids)))
    return sorted(rows, key=lambda row: order[row.uid])


def checksums(uids: Sequence[str]) -> dict[str, str | None]:
    """The SHA-256 of each of these recordings, as far as it is known."""
    query = select(Recording.uid, Recording.sha256).where(Recording.uid.in_(uids))
    return dict(map(tuple, read(query)))


def peaks(uid: str) -> bytes | None:
    """The shape of a recording as it is kept, or None while nobody has looked at its sound."""
    row = read_named(select(Recording.peaks).where(Recording.uid == uid), uid)
    return row.peaks if row else None


def recordings_of_calls(call_uids: Sequence[str]) -> Sequence[Row[Any]]:
    """The recordings of some calls in the order in which they were made."""
    query = select(*COLUMNS).where(Recording.call_uid.in_(call_uids))
    return read(query.order_by(Recording.id).limit(_MOST_OF_CALLS)) if call_uids else ()


def known(column: str, most: int) -> list[str]:
    """The first `most` different values of `flow` or `callee`, in order.

    A step in the index for each: DISTINCT would read all of it.
    """
    assert column in ("flow", "callee")
    query = text(f"""
        WITH RECURSIVE found(value) AS (
            SELECT min({column}) FROM recordings WHERE {column} > ''
            UNION ALL
            SELECT (SELECT min({column}) FROM recordings WHERE {column} > found.value)
            FROM found WHERE found.value IS NOT NULL
        ) SELECT value FROM found WHERE value IS NOT NULL LIMIT {most}""")
    return [row.value for row in read(query)]
