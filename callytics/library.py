"""The only code that reads calls and recordings for pages. Needs an app context.

Rows are plain tuples with names: objects of the ORM cost as much as the whole template.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Executable, Row, Select, select, tuple_

from callytics.db import db
from callytics.models import Call, Recording, Worker

PAGE_SIZE = 25
# A worker reports every few seconds; after this silence nobody can rely on it.
WORKER_SILENT_SECONDS = 30

_COLUMNS = tuple(c for c in Recording.__table__.columns if c.name not in ("peaks", "sha256"))
_POSITION = (Recording.started_at, Recording.id)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CursorError(ValueError):
    """A cursor that none of our pages can have given."""


@dataclass(frozen=True)
class Page:
    """Part of the list, newest first, with the cursors of what comes before and after it."""

    rows: Sequence[Row[Any]]
    newer: str | None
    older: str | None

    @property
    def is_newest(self) -> bool:
        """Whether a new recording would stand at its top."""
        return self.newer is None


def newest_page() -> Page:
    """The page that the library opens with."""
    rows = _read(_newest_first(select(*_COLUMNS)))
    return Page(rows[:PAGE_SIZE], None, _cursor_after(rows))


def page_after(cursor: str) -> Page:
    """What is older than `cursor`. Raises CursorError."""
    older = tuple_(*_POSITION) < _position(cursor)
    rows = _read(_newest_first(select(*_COLUMNS).where(older)))
    first = _cursor(rows[0]) if rows else cursor
    return Page(rows[:PAGE_SIZE], first, _cursor_after(rows))


def page_before(cursor: str) -> Page:
    """What is newer than `cursor`; the newest page where little is. Raises CursorError."""
    newer = tuple_(*_POSITION) > _position(cursor)
    oldest_first = (column.asc() for column in _POSITION)
    query = select(*_COLUMNS).where(newer).order_by(*oldest_first).limit(PAGE_SIZE + 1)
    rows = _read(query)
    if len(rows) <= PAGE_SIZE:
        return newest_page()
    rows = rows[PAGE_SIZE - 1 :: -1]
    return Page(rows, _cursor(rows[0]), _cursor(rows[-1]))


def newest(limit: int) -> Iterator[Row[Any]]:
    """The newest `limit` recordings, or all for 0, read while they are used: never all at once."""
    query = select(*_COLUMNS).order_by(*(column.desc() for column in _POSITION))
    with db.engine.connect().execution_options(yield_per=1000) as connection:
        yield from connection.execute(query.limit(limit) if limit else query)


def _newest_first(query: Select[Any]) -> Select[Any]:
    # One more than is shown tells whether there is a next page, without counting.
    return query.order_by(*(column.desc() for column in _POSITION)).limit(PAGE_SIZE + 1)


def _cursor_after(rows: Sequence[Row[Any]]) -> str | None:
    return _cursor(rows[PAGE_SIZE - 1]) if len(rows) > PAGE_SIZE else None


def _cursor(row: Row[Any]) -> str:
    """A place in the list: microseconds since 1970, and the row's id where two are equal."""
    return f"{(row.started_at - _EPOCH) // timedelta(microseconds=1)}-{row.id}"


def _position(cursor: str) -> tuple[datetime, int]:
    # Seventeen digits end in the year 5138, eighteen fit into the id of either database.
    parts = re.fullmatch(r"([0-9]{1,17})-([0-9]{1,18})", cursor, re.ASCII)
    if parts is None:
        raise CursorError("not a place in the list")
    return _EPOCH + timedelta(microseconds=int(parts[1])), int(parts[2])


def recording(uid: str) -> Row[Any] | None:
    """The row of one recording, or None."""
    return _one(select(*_COLUMNS, Recording.sha256).where(Recording.uid == uid), uid)


def peaks(uid: str) -> bytes | None:
    """The shape of a recording as it is kept, or None while nobody has looked at its sound."""
    row = _one(select(Recording.peaks).where(Recording.uid == uid), uid)
    return row.peaks if row else None


def call(uid: str) -> Row[Any] | None:
    """The row of one call, or None."""
    return _one(select(*Call.__table__.columns).where(Call.uid == uid), uid)


def recordings_of_call(call_uid: str) -> Sequence[Row[Any]]:
    """The first 100 recordings of a call in the order in which they were made."""
    query = select(*_COLUMNS).where(Recording.call_uid == call_uid)
    return _read(query.order_by(*_POSITION).limit(100))


def newest_worker() -> Row[Any] | None:
    """The worker that reported last, or None when there never was one."""
    columns = (Worker.seen_at, Worker.connected_at, Worker.asterisk_version, Worker.problem)
    rows = _read(select(*columns).order_by(Worker.seen_at.desc()).limit(1))
    return rows[0] if rows else None


def _one(query: Select[Any], uid: str) -> Row[Any] | None:
    # PostgreSQL refuses a NUL in a text; nothing that is not one of our names is looked up.
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", uid):
        return None
    rows = _read(query)
    return rows[0] if rows else None


def _read(query: Executable) -> Sequence[Row[Any]]:
    """The one place where a page waits for the database."""
    with db.engine.connect() as connection:
        return connection.execute(query).all()
