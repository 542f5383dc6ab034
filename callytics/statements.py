"""The SQL of one look into the library, as text: what is asked, never whether it was found.

It depends on which filters are given and not on their values, which are its parameters: those of
the filters, and `key_id`, `key_ms`, `end_id`, `end_ms` for the places between which is looked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from callytics import ways
from callytics.filters import Filters
from callytics.models import Recording
from callytics.ways import Way

# How many are looked at one after the other in order of time, for 0.2 to 0.5 µs each, and how
# many that an index tells of all over the table, for 5 µs each: some 10 ms on either database.
SCANNED = 10_000
FETCHED = 2_000

_NOT_LISTED = ("peaks", "sha256", "search_text")
COLUMNS = tuple(c for c in Recording.__table__.columns if c.name not in _NOT_LISTED)
# The tags of a row, in order, with a comma between two; no tag has one.
_TAGS = "SELECT t.tag FROM tags t WHERE t.recording_uid = r.uid ORDER BY t.tag"
Key = tuple[int, ...]


@dataclass(frozen=True)
class Statements:
    """Those of one set of filters, on SQLite or PostgreSQL, with the conditions of `ways`."""

    filters: Filters
    sqlite: bool
    conditions: dict[str, str]

    def rows(self, way: Way, key: Key | None, end: Key | None, forward: bool, most: int) -> str:
        """The first `most` rows between two places, each with its tags."""
        order = self._order(forward)
        ids = self._ids(way, f"ORDER BY {order} LIMIT {most}", key, end, forward)
        columns = ", ".join(f"r.{c.name}" for c in COLUMNS)
        joined = "group_concat(o.tag, ',')" if self.sqlite else "string_agg(o.tag, ',')"
        columns += f", (SELECT {joined} FROM ({_TAGS}) o) AS tags"
        sql = f"SELECT {columns} FROM ({ids}) i JOIN recordings r ON r.id = i.id ORDER BY r."
        return sql + order.replace(", ", ", r.")

    def end(self, way: Way, key: Key | None, forward: bool) -> str:
        """The last place that may be looked at on a way; none where the way ends before."""
        most, way = self._most(way), _alone(way)
        # A range of time is no bound in order of duration: those outside are looked at as well.
        where = self.range(way) if way.order == "time" else []
        where += self._places(way, key, None, forward)
        ids = self._of_way(way, where, f"ORDER BY {self._order(forward)} LIMIT {most}")
        return f"SELECT * FROM ({ids}) i LIMIT 1 OFFSET {most - 1}"

    def size(self, way: Way) -> str:
        """How many there are on a way, at most one more than FETCHED."""
        where = self.range(way) if way.order != "duration" else []
        ids = self._of_way(_alone(way), where, self._fence(way, FETCHED), "")
        return f"SELECT count(*) FROM ({ids}) i"

    def count(self, way: Way, end: Key | None, most: int) -> str:
        """How many fulfil all conditions up to a place, at most `most`."""
        ids = self._ids(way, f"LIMIT {most}", None, end, True)
        return f"SELECT count(*) FROM ({ids}) i"

    def range(self, way: Way) -> list[str]:
        """The conditions of the range of time that is asked for."""
        since = [f"{way.place} >= :since"] if self.filters.since else []
        return since + ([f"{way.place} < :until"] if self.filters.until else [])

    def descends(self, forward: bool) -> bool:
        """Whether places become smaller on the way."""
        return forward != self.filters.ascending

    def _most(self, way: Way) -> int:
        """How many of a way may be looked at: fewer where each is read from all over the table."""
        in_place = way == ways.by_time() or self.conditions.keys() <= way.tells
        return SCANNED if in_place else FETCHED

    def _ids(self, way: Way, rest: str, key: Key | None, end: Key | None, forward: bool) -> str:
        """What fulfils all conditions of a way between two places."""
        told = self.range(way) + self._places(way, key, end, forward)
        asked = [said for name, said in self.conditions.items() if name not in way.tells]
        if self.filters.sort == way.order:
            inside, outside = told, asked
        else:
            inside, outside = self.range(way), asked + told[len(self.range(way)) :]
        plain = self.filters.sort == way.order and not outside
        if self.sqlite or plain or way == ways.by_time():
            return self._of_way(way, inside + outside, rest)
        # PostgreSQL's planner would go its own way, through the whole table where it hopes to
        # find enough soon. A limit inside is what it does not look behind.
        most = max(self._most(way), FETCHED)
        ids = self._of_way(way, inside, self._fence(way, most), "")
        where = f" WHERE {' AND '.join(outside)}" if outside else ""
        source = f"({ids}) f JOIN recordings r ON r.id = f.id"
        return f"SELECT {self._ms}r.id AS id FROM {source}{where} {rest}"

    def _fence(self, way: Way, most: int) -> str:
        """A limit that cuts nothing off, in the order of the index that is to be read."""
        order = {"time": "ORDER BY id ", "duration": "ORDER BY r.duration_ms "}.get(way.order, "")
        return f"{'' if self.sqlite else order}LIMIT {most + 1}"

    @property
    def _ms(self) -> str:
        return "r.duration_ms AS duration_ms, " if self.filters.sort == "duration" else ""

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
        by_duration = self.filters.sort == "duration"
        place = f"(r.duration_ms, {way.place})" if by_duration else way.place
        sign = "<" if self.descends(forward) else ">"
        where = ["r.duration_ms >= 0"] * (by_duration and way.order != "duration")
        if key:
            where.append(f"{place} {sign} {'(:key_ms, :key_id)' if by_duration else ':key_id'}")
        if end:
            sign = "<=" if sign == ">" else ">="
            where.append(f"{place} {sign} {'(:end_ms, :end_id)' if by_duration else ':end_id'}")
        return where

    def _order(self, forward: bool) -> str:
        way = "DESC" if self.descends(forward) else "ASC"
        return f"duration_ms {way}, id {way}" if self.filters.sort == "duration" else f"id {way}"


def _alone(way: Way) -> Way:
    return replace(way, source=way.alone) if way.alone else way


def _closest(part: str, where: Sequence[str]) -> str:
    """Leave the index to a place where one bounds it too: SQLite seeks by what it reads first."""
    for sign in "<>":
        if any(said.startswith("(r.duration_ms, ") and f") {sign}" in said for said in where):
            part = part.replace(f"r.duration_ms {sign}=", f"+r.duration_ms {sign}=")
    return part
