"""Finds what filters ask for, a page at a time, and never by more work than is bounded here.

Where one filter leaves few recordings, these are all looked at, and the answer is exact. Where
each alone leaves many, as many as SCANNED are looked at in the order that is asked for; a page
that is not full by then says so, and the next one goes on from there.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Row, Text, TextClause, column, text

from callytics import ways
from callytics.db import db
from callytics.filters import Filters
from callytics.models import Recording
from callytics.paging import PAGE_SIZE, CursorError
from callytics.searching import grams
from callytics.ways import Way

# Looking at one costs 1 µs with its row and 0.1 µs in an index alone.
SCANNED = 20_000
COUNTED = 10_000
# So many hits of three characters tell how rare they are, for 0.05 ms each.
SAMPLED = 300
MOST_SAMPLES = 16
# The rarest of them leave hardly anything that is not found. With the common ones SQLite would
# read these as well, all of them: a second for "agent 299" among ten million.
GRAMS_USED = 3
# PostgreSQL's index of parts costs as much as all that it finds. A part that more than one of so
# many recordings holds is found sooner by going through them.
OFTEN = 100

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


def find(filters: Filters, after: str | None = None, before: str | None = None) -> Found:
    """The page after or before a cursor, or the first one, also where little stands before.

    Raises CursorError. Needs an app context.
    """
    places = {name: _key(c, filters) for name, c in (("a", after), ("b", before)) if c is not None}
    if len(places) == 2:
        raise CursorError("two places at once")
    with db.engine.connect() as connection:
        search = _Search(connection, filters)
        if "b" in places and (found := search.page(places["b"], forward=False)).newer:
            return found
        return search.page(places.get("a"), forward=True)


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

    def page(self, key: Key | None, forward: bool) -> Found:
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
        count = self._count(way, end if key is None else self._bounded(None, True)[1])
        cursors = (_cursor(newer), _cursor(older))
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
        size, _, smallest = min(sizes, default=(SCANNED + 1, 0, None))
        if size > SCANNED and "search" in self._conditions and not self._sqlite:
            smallest = ways.by_trigrams()
            size = self._size(smallest) if self._is_rare() else size
        if size <= SCANNED:
            return smallest, []
        return None, in_order or [self._base()]

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
        pick = min if self._descends(forward) else max
        end, way = pick(ends, key=lambda found: found[0] or ())
        return way, end

    # Statements.

    def _rows(
        self, way: Way, key: Key | None, end: Key | None, forward: bool
    ) -> Sequence[Row[Any]]:
        where = self._where(way, key, end, forward)
        order = self._order(forward)
        ids = self._ids(way, where, f"ORDER BY {order} LIMIT {PAGE_SIZE + 1}")
        columns = ", ".join(f"r.{c.name}" for c in COLUMNS)
        joined = "group_concat(o.tag, ',')" if self._sqlite else "string_agg(o.tag, ',')"
        columns += f", (SELECT {joined} FROM ({_TAGS}) o) AS tags"
        sql = f"SELECT {columns} FROM ({ids}) i JOIN recordings r ON r.id = i.id ORDER BY r."
        sql += order.replace(", ", ", r.")
        return self._run(_rows_statement(sql), key, end)

    def _end(self, way: Way, key: Key | None, forward: bool) -> Key | None:
        where = self._where(way, key, None, forward, narrow=False)
        ids = self._ids(way, where, f"ORDER BY {self._order(forward)} LIMIT {SCANNED}")
        sql = f"SELECT * FROM ({ids}) i LIMIT 1 OFFSET {SCANNED - 1}"
        rows = self._run(_statement(sql), key)
        return tuple(rows[0]) if rows else None

    def _size(self, way: Way) -> int:
        """How many there are on a way, at most one more than SCANNED."""
        where = self._range(way) if way.order != "duration" else []
        ids = self._ids(way, where, f"LIMIT {SCANNED + 1}")
        return int(self._run(_statement(f"SELECT count(*) FROM ({ids}) i"))[0][0])

    def _count(self, way: Way, end: Key | None) -> Count:
        where = self._where(way, None, end, True)
        ids = self._ids(way, where, f"LIMIT {COUNTED + 1}")
        number = self._run(_statement(f"SELECT count(*) FROM ({ids}) i"), end=end)[0][0]
        return Count(min(number, COUNTED), number <= COUNTED and end is None)

    def _where(
        self, way: Way, key: Key | None, end: Key | None, forward: bool, narrow: bool = True
    ) -> list[str]:
        by_duration = self._filters.sort == "duration"
        place = f"(r.duration_ms, {way.place})" if by_duration else way.place
        sign = "<" if self._descends(forward) else ">"
        told = way.tells if narrow else self._conditions.keys()
        where = [said for name, said in self._conditions.items() if name not in told]
        where += self._range(way) + ["r.duration_ms >= 0"] * by_duration
        if key:
            where.append(f"{place} {sign} {'(:key_ms, :key_id)' if by_duration else ':key_id'}")
        if end:
            sign = "<=" if sign == ">" else ">="
            where.append(f"{place} {sign} {'(:end_ms, :end_id)' if by_duration else ':end_id'}")
        return where

    def _range(self, way: Way) -> list[str]:
        since = [f"{way.place} >= :since"] if self._filters.since else []
        return since + ([f"{way.place} < :until"] if self._filters.until else [])

    def _ids(self, way: Way, where: list[str], rest: str) -> str:
        ms = "r.duration_ms AS duration_ms, " if self._filters.sort == "duration" else ""
        parts = [
            f"SELECT {ms}{way.place} AS id FROM {way.source}"
            f" WHERE {' AND '.join((part, *where))} {rest}"
            for part in way.parts
        ]
        if len(parts) == 1:
            return parts[0]
        union = " UNION ALL ".join(f"SELECT * FROM ({part}) p" for part in parts)
        return f"SELECT * FROM ({union}) u {rest}"

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

    def _is_rare(self) -> bool:
        """Whether PostgreSQL's index should be asked, which finds all before it gives the first.

        Not where the newest recordings fill pages, and not for so few letters that the index
        would be read from end to end.
        """
        if not re.search(r"\w\w\w|\n\w", self._parameters["needle"]):
            return False
        if self._connection.scalar(_HAS_TRIGRAMS) is None:
            return False
        # The planner takes a rare part for a common one, and would read the whole table for it.
        self._connection.execute(_NO_WHOLE_TABLE)
        newest, rest = ways.by_time(), f"ORDER BY id DESC LIMIT {SCANNED}"
        ids = self._ids(newest, self._range(newest), rest)
        said = self._conditions["search"]
        sql = f"SELECT count(*) FROM ({ids}) i JOIN recordings r ON r.id = i.id WHERE {said}"
        return self._run(_statement(sql))[0][0] < SCANNED // OFTEN


_HAS_TRIGRAMS = text("SELECT to_regclass('recordings_by_search')")
_NO_WHOLE_TABLE = text("SET LOCAL enable_seqscan = off")
_SAMPLE = text(
    f"""SELECT count(*), min(rowid) FROM (SELECT rowid FROM recordings_search
        WHERE recordings_search MATCH :gram ORDER BY rowid DESC LIMIT {SAMPLED})"""
)


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
