"""Finds what filters ask for, a page at a time, and never by more work than is bounded here.

Where one filter leaves few recordings, these are all looked at, and the answer is exact. Where
each alone leaves many, no more than a bounded number are looked at in the order that is asked
for; a page that is not full by then says so, and the next one goes on from there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Row, Text, TextClause, column, text

from callytics import statements, trigrams, ways
from callytics.db import db
from callytics.filters import Filters
from callytics.paging import PAGE_SIZE, CursorError
from callytics.searching import grams
from callytics.statements import COLUMNS, Key, Statements
from callytics.ways import Way

COUNTED = 10_000
# What was more than that is so for a while; it need not be counted for each page.
MANY_SECONDS = 10
# So many hits of three characters tell how rare they are, for 0.05 ms each.
SAMPLED = 300
MOST_SAMPLES = 16
# The rarest of them leave hardly anything that is not found. With the common ones SQLite would
# read these as well, all of them: a second for "agent 299" among ten million.
GRAMS_USED = 3


@dataclass(frozen=True)
class Count:
    """How many there are: exactly `number`, or more."""

    number: int
    exact: bool


NOT_COUNTED = Count(0, False)


@dataclass(frozen=True)
class Found:
    """A page of what was found, with the cursors of what comes before and after it."""

    rows: Sequence[Row[Any]]
    newer: str | None
    older: str | None
    count: Count
    # Whether the work ended before the page was full; its cursors lead on from there.
    cut_short: bool = False

    @property
    def is_newest(self) -> bool:
        """Whether what is new would stand at its top."""
        return self.newer is None


def find(
    filters: Filters, after: str | None = None, before: str | None = None, counted: bool = True
) -> Found:
    """The page after or before a cursor, or the first one, also where little stands before.

    Who goes through all of them need not have them counted. Raises CursorError. Needs an app
    context.
    """
    places = {name: _key(c, filters) for name, c in (("a", after), ("b", before)) if c is not None}
    if len(places) == 2:
        raise CursorError("two places at once")
    with db.engine.connect() as connection:
        search = _Search(connection, filters)
        if "b" in places and (found := search.page(places["b"], False, counted)).newer:
            return found
        return search.page(places.get("a"), True, counted)


class _Search:
    """One look into the library over one connection."""

    def __init__(self, connection: Connection, filters: Filters) -> None:
        self._connection = connection
        self._filters = filters
        self._sqlite = connection.dialect.name == "sqlite"
        self._conditions = ways.conditions(filters, self._sqlite)
        self._sql = Statements(filters, self._sqlite, self._conditions)
        self._parameters = ways.parameters(filters)
        if self._sqlite and "search" in self._conditions:
            self._parameters["grams"] = self._rarest_grams()
        self._small, self._large = self._choose()

    def page(self, key: Key | None, forward: bool, counted: bool = True) -> Found:
        """What comes after a place in the list, or before it; from its beginning for None."""
        way, end = self._bounded(key, forward)
        rows = self._rows(way, key, end, forward)
        full = len(rows) > PAGE_SIZE
        rows = rows[:PAGE_SIZE]
        far = self._key_of(rows[-1]) if full else end
        near = self._key_of(rows[0]) if rows else key
        if key is None:
            near = None
        elif not rows and not forward:
            # So that what stands at the place itself is the first of the next page.
            near = (*key[:-1], key[-1] + (-1 if self._filters.ascending else 1))
        newer, older = (near, far) if forward else (far, near)
        cursors = (_cursor(newer), _cursor(older))
        count = self._counted(way, end, key) if counted else NOT_COUNTED
        return Found(rows[:: 1 if forward else -1], *cursors, count, not full and end is not None)

    def _key_of(self, row: Row[Any]) -> Key:
        return (row.duration_ms, row.id) if self._filters.sort == "duration" else (row.id,)

    # Which way, and how far.

    def _choose(self) -> tuple[Way | None, list[Way]]:
        """A way that can be walked to its end, or those that must be broken off."""
        found = ways.narrowing(self._filters, self._sqlite)
        if self._filters.sort == "duration" and self._has_range:
            found.append(ways.by_time())
        in_order = [way for way in found if way.order == self._filters.sort]
        whole = not found and not self._conditions
        if whole or (len(found) == 1 and in_order and self._is_told_by(found[0])):
            # In order and without exception: a page is 26 steps, wherever it is.
            return (*in_order, self._base())[0], []
        sizes = [(self._size(way), number, way) for number, way in enumerate(found)]
        size, _, smallest = min(sizes, default=(statements.FETCHED + 1, 0, None))
        if size > statements.FETCHED and "search" in self._conditions and not self._sqlite:
            within = self._sql.range(ways.by_time())
            found_ids = trigrams.hits(
                self._connection, self._parameters, within, statements.FETCHED
            )
            if found_ids is not None:
                self._parameters["found"] = found_ids
                return ways.by_ids(), []
        if size <= statements.FETCHED:
            return smallest, []
        # Where little is read of each, much of the time that is looked at is often the best.
        return None, in_order + [self._base()] * (self._filters.sort == "time" or not in_order)

    def _base(self) -> Way:
        by_duration = self._filters.sort == "duration"
        return ways.by_duration(self._filters, self._sqlite) if by_duration else ways.by_time()

    @property
    def _has_range(self) -> bool:
        return bool(self._filters.since or self._filters.until)

    def _is_told_by(self, way: Way) -> bool:
        in_range = way.order == "time" or not self._has_range
        return in_range and self._conditions.keys() <= way.tells

    def _bounded(self, key: Key | None, forward: bool) -> tuple[Way, Key | None]:
        """The way to go from `key`, and the last place to look at, None for the end of the way.

        Of those that must be broken off, the one that comes furthest in as many steps.
        """
        if self._small:
            return self._small, None
        ends = [(self._end(way, key, forward), way) for way in self._large]
        for end, way in ends:
            if end is None:
                return way, None
        pick = min if self._sql.descends(forward) else max
        end, way = pick(ends, key=lambda found: found[0] or ())
        return way, end

    # Statements.

    def _rows(
        self, way: Way, key: Key | None, end: Key | None, forward: bool
    ) -> Sequence[Row[Any]]:
        sql = self._sql.rows(way, key, end, forward, PAGE_SIZE + 1)
        return self._run(_rows_statement(sql), key, end)

    def _end(self, way: Way, key: Key | None, forward: bool) -> Key | None:
        rows = self._run(_statement(self._sql.end(way, key, forward)), key)
        return tuple(rows[0]) if rows else None

    def _size(self, way: Way) -> int:
        return int(self._run(_statement(self._sql.size(way)))[0][0])

    def _counted(self, way: Way, end: Key | None, key: Key | None) -> Count:
        of, now = (self._connection.engine.url, self._filters), monotonic()
        if now < _many.get(of, 0):
            return Count(COUNTED, False)
        count = self._count(way, end if key is None else self._bounded(None, True)[1])
        if count.number == COUNTED and not count.exact:
            for old in [f for f, until in list(_many.items()) if until <= now]:
                _many.pop(old, None)
            _many[of] = now + MANY_SECONDS
        return count

    def _count(self, way: Way, end: Key | None) -> Count:
        number = self._run(_statement(self._sql.count(way, end, COUNTED + 1)), end=end)[0][0]
        return Count(min(number, COUNTED), number <= COUNTED and end is None)

    def _run(
        self, statement: Any, key: Key | None = None, end: Key | None = None
    ) -> Sequence[Row[Any]]:
        places = {
            f"{name}_{part}": value
            for name, place in (("key", key), ("end", end))
            for part, value in zip(("id", "ms"), (place or ())[::-1], strict=False)
        }
        return self._connection.execute(statement, {**self._parameters, **places}).all()

    # Searches.

    def _rarest_grams(self) -> str:
        """What FTS5 is asked for: the runs of three characters whose newest hits are the oldest."""
        found = []
        for gram in grams(self._parameters["needle"])[:MOST_SAMPLES]:
            quoted = '"' + gram.replace('"', '""') + '"'
            number, oldest = self._connection.execute(_SAMPLE, {"gram": quoted}).one()
            found.append((number == SAMPLED, oldest or 0, quoted))
        return " AND ".join(quoted for _, _, quoted in sorted(found)[:GRAMS_USED])


_SAMPLE = text(
    f"""SELECT count(*), min(rowid) FROM (SELECT rowid FROM recordings_search
        WHERE recordings_search MATCH :gram ORDER BY rowid DESC LIMIT {SAMPLED})"""
)


# Until when (monotonic seconds) there are more than are counted.
_many: dict[tuple[Any, Filters], float] = {}


@lru_cache(maxsize=1000)
def _statement(sql: str) -> TextClause:
    return text(sql)


@lru_cache(maxsize=1000)
def _rows_statement(sql: str) -> Any:
    return text(sql).columns(*COLUMNS, column("tags", Text))


def _cursor(key: Key | None) -> str | None:
    return "-".join(map(str, key)) if key else None


def _key(cursor: str, filters: Filters) -> Key:
    # Digits that fit into a column of either database.
    form = r"([0-9]{1,10})-([0-9]{1,18})" if filters.sort == "duration" else r"([0-9]{1,18})"
    found = re.fullmatch(form, cursor, re.ASCII)
    if found is None:
        raise CursorError("not a place in the list")
    return tuple(int(part) for part in found.groups())
