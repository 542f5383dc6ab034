"""Lists read page by page, newest first, each page by its place and never by its number.

Rows are plain tuples with names: objects of the ORM cost as much as the whole template.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, select, tuple_

from callytics.database.reading import read, read_in_batches

PAGE_SIZE = 25

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CursorError(ValueError):
    """A cursor that none of our pages can have given."""


@dataclass(frozen=True)
class Page:
    """Part of a list, newest first, with the cursors of what comes before and after it."""

    rows: Sequence[Row[Any]]
    newer: str | None
    older: str | None

    @property
    def is_newest(self) -> bool:
        """Whether a new row would stand at its top."""
        return self.newer is None


@dataclass(frozen=True)
class Listing:
    """Rows of one table that fulfil `where`. Its `columns` hold started_at and id, by which it is
    ordered; an index must begin with what `where` compares and go on with these two.
    """

    columns: tuple[ColumnElement[Any], ...]
    position: tuple[ColumnElement[Any], ColumnElement[Any]]
    where: tuple[ColumnElement[bool], ...] = ()

    def newest_page(self) -> Page:
        """The page that the list opens with."""
        rows = self._page_of(self._newest_first())
        return Page(rows[:PAGE_SIZE], None, _cursor_after(rows))

    def page_after(self, cursor: str) -> Page:
        """What is older than `cursor`. Raises CursorError."""
        older = tuple_(*self.position) < _position(cursor)
        rows = self._page_of(self._newest_first().where(older))
        first = _cursor(rows[0]) if rows else cursor
        return Page(rows[:PAGE_SIZE], first, _cursor_after(rows))

    def page_before(self, cursor: str) -> Page:
        """What is newer than `cursor`; the newest page where little is. Raises CursorError."""
        newer = tuple_(*self.position) > _position(cursor)
        oldest_first = self._select().order_by(*(column.asc() for column in self.position))
        rows = self._page_of(oldest_first.where(newer))
        if len(rows) <= PAGE_SIZE:
            return self.newest_page()
        rows = rows[PAGE_SIZE - 1 :: -1]
        return Page(rows, _cursor(rows[0]), _cursor(rows[-1]))

    def newest(self, limit: int) -> Iterator[Row[Any]]:
        """The newest `limit` rows, or all for 0, read while they are used: never all at once."""
        query = self._newest_first()
        return read_in_batches(query.limit(limit) if limit else query)

    def _select(self) -> Select[Any]:
        return select(*self.columns).where(*self.where)

    def _newest_first(self) -> Select[Any]:
        return self._select().order_by(*(column.desc() for column in self.position))

    def _page_of(self, query: Select[Any]) -> Sequence[Row[Any]]:
        # One more than is shown tells whether there is a next page, without counting.
        return read(query.limit(PAGE_SIZE + 1))


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
