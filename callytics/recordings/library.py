"""Reads of recordings for pages and commands. Needs an app context."""

from collections.abc import Iterator, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Literal, Protocol, cast

from sqlalchemy import select, text

from callytics.database.reading import read, read_in_batches, read_named
from callytics.recordings.facts import OPEN_STATES, Facts
from callytics.recordings.models import Recording
from callytics.recordings.pauses import Spans

# Recordings on a page of calls; only a line that drops constantly makes more.
_MOST_OF_CALLS = 1000
_NOT_LISTED = ("peaks", "sha256", "search_text")
# Columns of a list's rows, without those that are long and that no list shows.
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

    def __hash__(self) -> int:
        """Return the hash by which the HTML of a row is cached."""
        ...


class RecordingDetailRow(RecordingRow, Protocol):
    """Row of one recording, with its checksum."""

    sha256: str | None


def newest(limit: int) -> Iterator[RecordingRow]:
    """Yield the newest `limit` recordings, or all for 0, without holding all in memory."""
    query = select(*COLUMNS).order_by(Recording.id.desc())
    rows = read_in_batches(query.limit(limit) if limit else query)
    return cast(Iterator[RecordingRow], rows)


def recording(uid: str) -> RecordingDetailRow | None:
    """Return the row of one recording, or None."""
    query = select(*COLUMNS, Recording.sha256).where(Recording.uid == uid)
    return cast(RecordingDetailRow | None, read_named(query, uid))


def recordings(uids: Sequence[str]) -> Sequence[RecordingRow]:
    """Return the rows of these recordings, without missing ones, in the order of `uids`."""
    order = {uid: number for number, uid in enumerate(uids)}
    rows = read(select(*COLUMNS).where(Recording.uid.in_(uids)))
    return cast(Sequence[RecordingRow], sorted(rows, key=lambda row: order[row.uid]))


def checksums(uids: Sequence[str]) -> dict[str, str | None]:
    """Return the SHA-256 of each of these recordings, None where it is not known."""
    query = select(Recording.uid, Recording.sha256).where(Recording.uid.in_(uids))
    return {row.uid: row.sha256 for row in read(query)}


def waveform(uid: str) -> bytes | None:
    """Return the waveform of a recording as it was saved, or None if it was not computed yet."""
    row = read_named(select(Recording.peaks).where(Recording.uid == uid), uid)
    return row.peaks if row else None


def recordings_of_calls(call_uids: Sequence[str]) -> Sequence[RecordingRow]:
    """Return the recordings of some calls, oldest first, at most 1000."""
    if not call_uids:
        return ()
    query = select(*COLUMNS).where(Recording.call_uid.in_(call_uids))
    rows = read(query.order_by(Recording.id).limit(_MOST_OF_CALLS))
    return cast(Sequence[RecordingRow], rows)


def open_recordings(call_uid: str) -> Sequence[Facts]:
    """Return the recordings of a call that have not ended, oldest first."""
    names = [field.name for field in fields(Facts) if field.name in Recording.__table__.columns]
    columns = [Recording.__table__.columns[name] for name in names]
    is_open = (Recording.call_uid == call_uid, Recording.state.in_(OPEN_STATES))
    rows = read(select(*columns).where(*is_open).order_by(Recording.id))
    return [Facts(**dict(zip(names, row, strict=True))) for row in rows]


def distinct_values(column: Literal["flow", "callee"], limit: int) -> list[str]:
    """Return the first `limit` different values of a column, sorted.

    Each value is one step in the column's index; DISTINCT would read the whole index.
    """
    assert column in ("flow", "callee")
    query = text(f"""
        WITH RECURSIVE found(value) AS (
            SELECT min({column}) FROM recordings WHERE {column} > ''
            UNION ALL
            SELECT (SELECT min({column}) FROM recordings WHERE {column} > found.value)
            FROM found WHERE found.value IS NOT NULL
        ) SELECT value FROM found WHERE value IS NOT NULL LIMIT {limit}""")
    return [row.value for row in read(query)]
