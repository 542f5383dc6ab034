"""Finds what filters ask for, a page at a time, and never by more work than is bounded here.

Where one filter leaves few recordings, these are all looked at, and the answer is exact. Where
each alone leaves many, no more than a bounded number are looked at in the order that is asked
for; a page that is not full by then says so, and the next one goes on from there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from time import monotonic
from typing import Any

from sqlalchemy import Connection, Row, Text, TextClause, column, text

from callytics import trigrams, ways
from callytics.db import db
from callytics.filters import Filters
from callytics.models import Recording
from callytics.paging import PAGE_SIZE, CursorError
from callytics.searching import grams
from callytics.ways import Way

# How many are looked at one after the other in order of time, for 0.2 to 0.5 µs each, and how
# many that an index tells of all over the table, for 5 µs each: some 10 ms on either database.
SCANNED = 10_000
FETCHED = 2_000
COUNTED = 10_000
# What was more than that is so for a while; it need not be counted for each page.
MANY_SECONDS = 10
# So many hits of three characters tell how rare they are, for 0.05 ms each.
SAMPLED = 300
MOST_SAMPLES = 16
# The rarest of them leave hardly anything that is not found. With the common ones SQLite would
# read these as well, all of them: a second for "agent 299" among ten million.
GRAMS_USED = 3

_NOT_LISTED = ("peaks", "sha256", "search_text")
COLUMNS = tuple(c for c in Recording.__table__.columns if c.name not in _NOT_LISTED)
# The tags of a row, in order, with a comma between two; no tag has one.
_TAGS = "SELECT t.tag FROM tags t WHERE t.recording_uid = r.uid ORDER BY t.tag"
Key = tuple[int, ...]


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
        size, _, smallest = min(sizes, default=(FETCHED + 1, 0, None))
        if size > FETCHED and "search" in self._conditions and not self._sqlite:
            within = self._range(ways.by_time())
            found_ids = trigrams.hits(self._connection, self._parameters, within, FETCHED)
            if found_ids is not None:
                self._parameters["found"] = found_ids
                return ways.by_ids(), []
        if size <= FETCHED:
            return smallest, []
        # Where little is read of each, much of the time that is looked at is often the best.
        return None, in_order + [self._base()] * (self._filters.sort == "time" or not in_order)

    def _base(self) -> Way:
        by_duration = self._filters.sort == "duration"
        return ways.by_duration(self._filters, self._sqlite) if by_duration else ways.by_time()

    @property
    def _has_range(self) -> bool:
        return bool(self._filters.since or self._filters.until)

    def _most(self, way: Way) -> int:
        """How many of a way may be looked at: fewer where each is read from all over the table."""
        in_place = way == ways.by_time() or self._conditions.keys() <= way.tells
        return SCANNED if in_place else FETCHED

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
        pick = min if self._descends(forward) else max
        end, way = pick(ends, key=lambda found: found[0] or ())
        return way, end

    # Statements.

    def _rows(
        self, way: Way, key: Key | None, end: Key | None, forward: bool
    ) -> Sequence[Row[Any]]:
        order = self._order(forward)
        ids = self._ids(way, f"ORDER BY {order} LIMIT {PAGE_SIZE + 1}", key, end, forward)
        columns = ", ".join(f"r.{c.name}" for c in COLUMNS)
        joined = "group_concat(o.tag, ',')" if self._sqlite else "string_agg(o.tag, ',')"
        columns += f", (SELECT {joined} FROM ({_TAGS}) o) AS tags"
        sql = f"SELECT {columns} FROM ({ids}) i JOIN recordings r ON r.id = i.id ORDER BY r."
        sql += order.replace(", ", ", r.")
        return self._run(_rows_statement(sql), key, end)

    def _end(self, way: Way, key: Key | None, forward: bool) -> Key | None:
        most = self._most(way)
        way = _alone(way)
        # A range of time is no bound in order of duration: those outside are looked at as well.
        where = self._range(way) if way.order == "time" else []
        where += self._places(way, key, None, forward)
        ids = self._of_way(way, where, f"ORDER BY {self._order(forward)} LIMIT {most}")
        sql = f"SELECT * FROM ({ids}) i LIMIT 1 OFFSET {most - 1}"
        rows = self._run(_statement(sql), key)
        return tuple(rows[0]) if rows else None

    def _size(self, way: Way) -> int:
        """How many there are on a way, at most one more than FETCHED."""
        where = self._range(way) if way.order != "duration" else []
        ids = self._of_way(_alone(way), where, self._fence(way, FETCHED), "")
        return int(self._run(_statement(f"SELECT count(*) FROM ({ids}) i"))[0][0])

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
        ids = self._ids(way, f"LIMIT {COUNTED + 1}", None, end, True)
        number = self._run(_statement(f"SELECT count(*) FROM ({ids}) i"), end=end)[0][0]
        return Count(min(number, COUNTED), number <= COUNTED and end is None)

    def _ids(self, way: Way, rest: str, key: Key | None, end: Key | None, forward: bool) -> str:
        """What fulfils all conditions of a way between two places."""
        told = self._range(way) + self._places(way, key, end, forward)
        asked = [said for name, said in self._conditions.items() if name not in way.tells]
        if self._filters.sort == way.order:
            inside, outside = told, asked
        else:
            inside, outside = self._range(way), asked + told[len(self._range(way)) :]
        plain = self._filters.sort == way.order and not outside
        if self._sqlite or plain or way == ways.by_time():
            return self._of_way(way, inside + outside, rest)
        # PostgreSQL's planner would go its own way, through the whole table where it hopes to
        # find enough soon. A limit inside is what it does not look behind.
        ids = self._of_way(way, inside, self._fence(way, self._most(way)), "")
        where = f" WHERE {' AND '.join(outside)}" if outside else ""
        source = f"({ids}) f JOIN recordings r ON r.id = f.id"
        return f"SELECT {self._ms}r.id AS id FROM {source}{where} {rest}"

    def _fence(self, way: Way, most: int) -> str:
        """A limit that cuts nothing off, in the order of the index that is to be read."""
        order = {"time": "ORDER BY id ", "duration": "ORDER BY r.duration_ms "}.get(way.order, "")
        return f"{'' if self._sqlite else order}LIMIT {most + 1}"

    @property
    def _ms(self) -> str:
        return "r.duration_ms AS duration_ms, " if self._filters.sort == "duration" else ""

    def _of_way(self, way: Way, where: list[str], rest: str, ms: str | None = None) -> str:
        ms = self._ms if ms is None else ms
        parts = [
            f"SELECT {ms}{way.place} AS id FROM {way.source}"
            f" WHERE {' AND '.join((_closest(part, where), *where))} {rest}"
            for part in way.parts
        ]
        if len(parts) == 1:
            return parts[0]
        union = " UNION ALL ".join(f"SELECT * FROM ({part}) p" for part in parts)
        return f"SELECT * FROM ({union}) u {rest}"

    def _places(self, way: Way, key: Key | None, end: Key | None, forward: bool) -> list[str]:
        """Between two places of the order that is asked for."""
        by_duration = self._filters.sort == "duration"
        place = f"(r.duration_ms, {way.place})" if by_duration else way.place
        sign = "<" if self._descends(forward) else ">"
        where = ["r.duration_ms >= 0"] * (by_duration and way.order != "duration")
        if key:
            where.append(f"{place} {sign} {'(:key_ms, :key_id)' if by_duration else ':key_id'}")
        if end:
            sign = "<=" if sign == ">" else ">="
            where.append(f"{place} {sign} {'(:end_ms, :end_id)' if by_duration else ':end_id'}")
        return where

    def _range(self, way: Way) -> list[str]:
        since = [f"{way.place} >= :since"] if self._filters.since else []
        return since + ([f"{way.place} < :until"] if self._filters.until else [])

    def _descends(self, forward: bool) -> bool:
        return forward != self._filters.ascending

    def _order(self, forward: bool) -> str:
        way = "DESC" if self._descends(forward) else "ASC"
        return f"duration_ms {way}, id {way}" if self._filters.sort == "duration" else f"id {way}"

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


def _alone(way: Way) -> Way:
    return replace(way, source=way.alone) if way.alone else way


def _closest(part: str, where: Sequence[str]) -> str:
    """Leave the index to a place where one bounds it too: SQLite seeks by what it reads first."""
    for sign in "<>":
        if any(said.startswith("(r.duration_ms, ") and f") {sign}" in said for said in where):
            part = part.replace(f"r.duration_ms {sign}=", f"+r.duration_ms {sign}=")
    return part


def _cursor(key: Key | None) -> str | None:
    return "-".join(map(str, key)) if key else None


def _key(cursor: str, filters: Filters) -> Key:
    # Digits that fit into a column of either database.
    form = r"([0-9]{1,10})-([0-9]{1,18})" if filters.sort == "duration" else r"([0-9]{1,18})"
    found = re.fullmatch(form, cursor, re.ASCII)
    if found is None:
        raise CursorError("not a place in the list")
    return tuple(int(part) for part in found.groups())
