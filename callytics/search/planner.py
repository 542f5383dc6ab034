"""Which of the ways that lead to what somebody looks for is gone, and how far."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Integer, Row, Text, TextClause, column, text
from sqlalchemy.sql.selectable import TextualSelect

from callytics.recordings.library import COLUMNS
from callytics.search import (
    access_paths,
    postgres_trigrams,
    sqlite_fts,
)
from callytics.search import (
    sql as statements,
)
from callytics.search.access_paths import Way
from callytics.search.filters import Filters
from callytics.search.sql import Key, Statements


@dataclass(frozen=True)
class Reach:
    """A way, and the last place on it that may be looked at: None where the way ends before."""

    way: Way
    end: Key | None = None
    # How many places that are, where it matters.
    steps: int = 0


class Reaching:
    """The ways of one look into the library over one connection."""

    def __init__(self, connection: Connection, filters: Filters) -> None:
        self._connection = connection
        self._filters = filters
        self._sqlite = connection.dialect.name == "sqlite"
        self._conditions = access_paths.conditions(filters, self._sqlite)
        self.sql = Statements(filters, self._sqlite, self._conditions)
        self._parameters = access_paths.parameters(filters)
        if self._sqlite and "search" in self._conditions:
            needle = self._parameters["needle"]
            self._parameters["grams"] = sqlite_fts.rarest_grams(connection, needle)
        # Those that must be broken off, and how far they lead from the beginning of the list.
        self._some: list[Way] = []
        self._from_start: list[Reach] = []
        self._only = self._choose()

    def reach(self, key: Key | None, forward: bool) -> Reach:
        """The way to go from `key`, and how far.

        Of those that must be broken off, the one that comes furthest in as many steps.
        """
        if self._only:
            return self._only
        reaches = self._from_start
        if key is not None or not forward:
            reaches = self._reaches(self._some, key, forward)
        pick = min if self.sql.descends(forward) else max
        ended = (reach for reach in reaches if reach.end is None)
        return next(ended, None) or pick(reaches, key=lambda reach: reach.end or ())

    def is_counted(self, reach: Reach) -> bool:
        """Whether the steps of a way, from its beginning to its end, are all that is asked for."""
        by_time, ended = self._filters.sort == "time", reach.steps and reach.end is None
        return by_time and bool(ended) and self._is_told_by(reach.way)

    def run(
        self,
        statement: Any,
        way: Way | None = None,
        key: Key | None = None,
        end: Key | None = None,
        forward: bool = True,
    ) -> Sequence[Row[Any]]:
        """The rows of a statement between two places of a way."""
        parameters = self._parameters | self.sql.places(key, end, forward)
        if way and way.found is not None:
            parameters["found"] = json.dumps(way.found) if self._sqlite else list(way.found)
        return self._connection.execute(statement, parameters).all()

    def _choose(self) -> Reach | None:
        """A way that can be gone to its end; None for several that must be broken off."""
        found = access_paths.narrowing(self._filters, self._sqlite)
        in_order = [way for way in found if way.order == self._filters.sort]
        if self._filters.sort == "duration" and self._has_range:
            found.append(access_paths.by_time())
        whole = not found and not self._conditions
        if whole or (len(found) == 1 and in_order and self._is_told_by(found[0])):
            # In order and without exception: a page is 26 steps, wherever it is.
            return Reach((*in_order, self._base())[0])
        # Where little is read of each, much of the time that is looked at is often the best.
        base = [self._base()] * (self._filters.sort == "time" or not in_order)
        self._some = in_order + base
        others = [way for way in found if way not in in_order]
        reaches = self._reaches(self._some + others, None, True)
        self._from_start = reaches[: len(self._some)]
        ended = [reach for reach in reaches if reach.end is None]
        if not ended and "search" in self._conditions and not self._sqlite:
            return self._hits()
        return min(ended, key=lambda reach: reach.steps, default=None)

    def _hits(self) -> Reach | None:
        """What PostgreSQL's index of parts of three characters finds, if that is not too much."""
        parameters = self._parameters | self.sql.places(None, None, True)
        most = statements.FETCHED
        found = postgres_trigrams.hits(self._connection, parameters, self.sql.range(), most)
        return None if found is None else Reach(access_paths.by_ids(found, ["search"], False))

    def _base(self) -> Way:
        by_duration = self._filters.sort == "duration"
        return (
            access_paths.by_duration(self._filters, self._sqlite)
            if by_duration
            else access_paths.by_time()
        )

    @property
    def _has_range(self) -> bool:
        return bool(self._filters.since or self._filters.until)

    def _is_told_by(self, way: Way) -> bool:
        return (way.order == "time" or not self._has_range) and self.sql.tells_all(way)

    def _reaches(self, some: Sequence[Way], key: Key | None, forward: bool) -> list[Reach]:
        """How far each way leads from `key` on; of one in another order only whether it ends."""
        indexes = [way for way in some if not way.alone]
        sql = statement(self.sql.reaches(indexes, key, forward))
        rows = {indexes[row.number]: row for row in self.run(sql, None, key, None, forward)}
        return [
            self._followed(way, key, forward) if way.alone else self._reached(way, rows.get(way))
            for way in some
        ]

    def _reached(self, way: Way, row: Row[Any] | None) -> Reach:
        most = self.sql.most(way)
        if row is None or row.steps < most:
            return Reach(way, None, row.steps if row else most)
        return Reach(way, (row.ms, row.id)[self._filters.sort == "time" :], most)

    def _followed(self, way: Way, key: Key | None, forward: bool) -> Reach:
        """SQLite's search takes long for each step, so none is taken twice."""
        sql = self.sql.steps(way, key, forward)
        found = [row.id for row in self.run(statement(sql), None, key, None, forward)]
        end = (found[-1],) if len(found) == self.sql.most(way) else None
        return Reach(access_paths.by_ids(found, way.tells, True), end, len(found))


@lru_cache(maxsize=1000)
def statement(sql: str) -> TextClause:
    """What SQLAlchemy knows from the time before."""
    return text(sql)


@lru_cache(maxsize=1000)
def rows_statement(sql: str) -> TextualSelect:
    """The same for one whose rows are recordings."""
    return text(sql).columns(*COLUMNS, column("tags", Text), column("number", Integer))
