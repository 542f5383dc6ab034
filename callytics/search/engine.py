"""Finds what filters ask for, a page at a time, and never by more work than is bounded here.

Where one filter leaves few recordings, these are all looked at, and the answer is exact. Where
each alone leaves many, no more than a bounded number are looked at in the order that is asked
for; a page that is not full by then says so, and the next one goes on from there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Row

from callytics.database.engine import db
from callytics.database.paging import PAGE_SIZE, CursorError
from callytics.database.ttl_cache import Briefly
from callytics.search.filters import Filters
from callytics.search.planner import Reach, Reaching, rows_statement, statement
from callytics.search.sql import Key

COUNTED = 10_000


@dataclass(frozen=True)
class Count:
    """How many there are: exactly `number`, or more."""

    number: int
    exact: bool
    # Whether they were counted for as long as anybody waits.
    at_length: bool = False

    @property
    def may_go_on(self) -> bool:
        """Whether `extend_count` may say more."""
        return not (self.exact or self.at_length) and self.number < COUNTED


NOT_COUNTED = Count(0, False)


@dataclass(frozen=True)
class SearchPage:
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
) -> SearchPage:
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


def extend_count(filters: Filters, seconds: float) -> Count:
    """How many there are, also where a page looks at too few to know: in as many steps of the same
    bounded work as are done in so many seconds. Pages tell it for a while. Needs an app context.
    """
    with db.engine.connect() as connection:
        return _Search(connection, filters).extend_count(monotonic() + seconds)


def known_count(filters: Filters) -> Count | None:
    """What was counted lately, if it took long. Needs an app context."""
    return _counts.get((db.engine.url, filters))


class _Search:
    """One look into the library over one connection."""

    def __init__(self, connection: Connection, filters: Filters) -> None:
        self._of = (connection.engine.url, filters)
        self._filters = filters
        self._reaching = Reaching(connection, filters)
        self._sql = self._reaching.sql

    def page(self, key: Key | None, forward: bool, counted: bool = True) -> SearchPage:
        """What comes after a place in the list, or before it; from its beginning for None."""
        reach = self._reaching.reach(key, forward)
        # What must be looked at for a page that may not become full is counted on the way.
        count = _counts.get(self._of) if counted else NOT_COUNTED
        at_once = not count and key is None and not self._sql.tells_all(reach.way)
        rows = self._rows(reach, key, forward, COUNTED + 1 if at_once else 0)
        if at_once:
            count = _count(rows[0].number if rows else 0, reach)
        full = len(rows) > PAGE_SIZE
        rows = rows[:PAGE_SIZE]
        far = self._key_of(rows[-1]) if full else reach.end
        near = self._key_of(rows[0]) if rows else key
        if key is None:
            near = None
        elif not rows and not forward:
            # So that what stands at the place itself is the first of the next page.
            near = (*key[:-1], key[-1] + (-1 if self._filters.ascending else 1))
        newer, older = (near, far) if forward else (far, near)
        cut_short = not full and reach.end is not None
        cursors = (_cursor(newer), _cursor(older))
        return SearchPage(
            rows[:: 1 if forward else -1], *cursors, count or self._counted(), cut_short
        )

    def extend_count(self, until: float) -> Count:
        """How many there are, as far as that is known by then (monotonic seconds)."""
        number, key = 0, None
        while True:
            reach = self._reaching.reach(key, True)
            number += self._number(reach, key, COUNTED + 1 - number)
            if reach.end is None or number > COUNTED or monotonic() > until:
                exact = reach.end is None and number <= COUNTED
                return _counts.keep(self._of, Count(min(number, COUNTED), exact, at_length=True))
            key = reach.end

    def _key_of(self, row: Row[Any]) -> Key:
        return (row.duration_ms, row.id) if self._filters.sort == "duration" else (row.id,)

    def _rows(
        self, reach: Reach, key: Key | None, forward: bool, counted: int
    ) -> Sequence[Row[Any]]:
        sql = self._sql.rows(reach.way, key, reach.end, forward, PAGE_SIZE + 1, counted)
        return self._reaching.run(rows_statement(sql), reach.way, key, reach.end, forward)

    def _counted(self) -> Count:
        reach = self._reaching.reach(None, True)
        if self._reaching.is_counted(reach):
            return _count(reach.steps, reach)
        count = _count(self._number(reach, None, COUNTED + 1), reach)
        if count.number == COUNTED and not count.exact:
            _counts.keep(self._of, count)
        return count

    def _number(self, reach: Reach, key: Key | None, most: int) -> int:
        sql = statement(self._sql.count(reach.way, key, reach.end, most))
        return int(self._reaching.run(sql, reach.way, key, reach.end)[0][0])


def _count(number: int, reach: Reach) -> Count:
    return Count(min(number, COUNTED), number <= COUNTED and reach.end is None)


# What need not be counted anew for each page: more than are counted will not be few for a while,
# and what was counted at length takes too long.
_counts: Briefly[Count] = Briefly()


def _cursor(key: Key | None) -> str | None:
    return "-".join(map(str, key)) if key else None


def _key(cursor: str, filters: Filters) -> Key:
    # Digits that fit into a column of either database.
    form = r"([0-9]{1,10})-([0-9]{1,18})" if filters.sort == "duration" else r"([0-9]{1,18})"
    found = re.fullmatch(form, cursor, re.ASCII)
    if found is None:
        raise CursorError("not a place in the list")
    return tuple(int(part) for part in found.groups())
