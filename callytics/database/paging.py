"""Keyset pagination: lists read page by page, newest first.

A cursor is the position of a row and not the number of a page, so each page is one index range.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, Protocol, TypeVar, cast

from sqlalchemy import ColumnElement, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from callytics.database.reading import AnyColumn, AnySelect, read, read_in_batches

PAGE_SIZE = 25

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CursorError(ValueError):
    """A cursor that does not come from one of our pages."""


class PositionedRow(Protocol):
    """Columns by which a list is ordered."""

    started_at: datetime
    id: int


AnyRow = TypeVar("AnyRow")
ListedRow = TypeVar("ListedRow", bound=PositionedRow)


@dataclass(frozen=True)
class Page(Generic[AnyRow]):
    """Part of a list, newest first, with the cursors of its neighbors."""

    rows: Sequence[AnyRow]
    newer: str | None
    older: str | None

    @property
    def is_newest(self) -> bool:
        """True if a new row would appear at the top of this page."""
        return self.newer is None


@dataclass(frozen=True)
class Listing(Generic[ListedRow]):
    """List of the rows of one table that fulfill `where`.

    Its `columns` include started_at and id, which define the order. An index must begin with the
    columns that `where` compares, and continue with these two.
    """

    columns: tuple[AnyColumn, ...]
    position: tuple[InstrumentedAttribute[datetime], InstrumentedAttribute[int]]
    where: tuple[ColumnElement[bool], ...] = ()

    def newest_page(self) -> Page[ListedRow]:
        """Return the first page."""
        rows = self._page_of(self._newest_first())
        return Page(rows[:PAGE_SIZE], None, _cursor_after(rows))

    def page_after(self, cursor: str) -> Page[ListedRow]:
        """Return the page of rows older than `cursor`. Raises CursorError."""
        older = tuple_(*self.position) < _position(cursor)
        rows = self._page_of(self._newest_first().where(older))
        first = _cursor(rows[0]) if rows else cursor
        return Page(rows[:PAGE_SIZE], first, _cursor_after(rows))

    def page_before(self, cursor: str) -> Page[ListedRow]:
        """Return the page of rows newer than `cursor`, or the first page if they do not fill one.

        Raises CursorError.
        """
        newer = tuple_(*self.position) > _position(cursor)
        oldest_first = self._select().order_by(*(column.asc() for column in self.position))
        rows = self._page_of(oldest_first.where(newer))
        if len(rows) <= PAGE_SIZE:
            return self.newest_page()
        rows = rows[PAGE_SIZE - 1 :: -1]
        return Page(rows, _cursor(rows[0]), _cursor(rows[-1]))

    def newest(self, limit: int) -> Iterator[ListedRow]:
        """Yield the newest `limit` rows, or all for 0, without holding all in memory."""
        query = self._newest_first()
        rows = read_in_batches(query.limit(limit) if limit else query)
        return cast(Iterator[ListedRow], rows)

    def _select(self) -> AnySelect:
        return select(*self.columns).where(*self.where)

    def _newest_first(self) -> AnySelect:
        return self._select().order_by(*(column.desc() for column in self.position))

    def _page_of(self, query: AnySelect) -> Sequence[ListedRow]:
        # One row more than is shown tells if there is a next page, without counting.
        return cast(Sequence[ListedRow], read(query.limit(PAGE_SIZE + 1)))


def _cursor_after(rows: Sequence[PositionedRow]) -> str | None:
    return _cursor(rows[PAGE_SIZE - 1]) if len(rows) > PAGE_SIZE else None


def _cursor(row: PositionedRow) -> str:
    """Return the position of a row: microseconds since 1970, then its id for equal times."""
    return f"{(row.started_at - _EPOCH) // timedelta(microseconds=1)}-{row.id}"


def _position(cursor: str) -> tuple[datetime, int]:
    # Seventeen digits of microseconds reach the year 5138; eighteen fit into the id column.
    parts = re.fullmatch(r"([0-9]{1,17})-([0-9]{1,18})", cursor, re.ASCII)
    if parts is None:
        raise CursorError("not a place in the list")
    return _EPOCH + timedelta(microseconds=int(parts[1])), int(parts[2])
