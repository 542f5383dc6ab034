"""The SQL of one look into the library, as text: what is asked, never whether it was found.

It depends on which filters are given and not on their values, which are its parameters: those of
the filters, and those of the places between which is looked.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from callytics.recordings.library import COLUMNS
from callytics.recordings.sort_key import place_of
from callytics.search import access_paths
from callytics.search.access_paths import Way
from callytics.search.filters import Filters

# How many are looked at one after the other in order of time, for 0.2 µs each; how many that an
# index tells of all over the table, for 2 to 4 µs each; and how many where the index tells all, for
# 0.1 µs each: some 5 ms on either database.
SCANNED = 10_000
FETCHED = 2_000
INDEXED = 20_000

# The tags of a row, in order, with a comma between two; no tag has one.
_TAGS = "SELECT t.tag FROM tags t WHERE t.recording_uid = r.uid ORDER BY t.tag"
Key = tuple[int, ...]
# After every place.
_NEVER = 10**18


@dataclass(frozen=True)
class Statements:
    """Those of one set of filters, on SQLite or PostgreSQL, with the conditions of `ways`."""

    filters: Filters
    sqlite: bool
    conditions: dict[str, str]

    def rows(
        self, way: Way, key: Key | None, end: Key | None, forward: bool, most: int, counted: int
    ) -> str:
        """The first `most` rows between two places, each with its tags and with how many there
        are, as far as `counted`: those are looked for at once."""
        order = self._order(forward)
        ids = self._ids(way, f"ORDER BY {order} LIMIT {max(most, counted)}", key, end, forward)
        columns = ", ".join(f"r.{c.name}" for c in COLUMNS)
        joined = "group_concat(o.tag, ',')" if self.sqlite else "string_agg(o.tag, ',')"
        columns += f", (SELECT {joined} FROM ({_TAGS}) o) AS tags"
        first = f"SELECT * FROM found ORDER BY {order} LIMIT {most}"
        return (
            f"WITH found AS MATERIALIZED ({ids})"
            f" SELECT {columns}, (SELECT count(*) FROM found) AS number"
            f" FROM ({first}) i JOIN recordings r ON r.id = i.id"
            f" ORDER BY r.{order.replace(', ', ', r.')}"
        )

    def count(self, way: Way, key: Key | None, end: Key | None, most: int) -> str:
        """How many between two places fulfil all conditions, at most `most`."""
        ids = self._ids(way, f"LIMIT {most}", key, end, True)
        return f"SELECT count(*) FROM ({ids}) i"

    def reaches(self, some: Sequence[Way], key: Key | None, forward: bool) -> str:
        """Of each way its number, how many steps it has of those that may be taken, and the place
        where the last of them leads; no row for one in order of duration that ends before."""
        parts = (self._reach(number, way, key, forward) for number, way in enumerate(some))
        return " UNION ALL ".join(f"SELECT * FROM ({part}) w" for part in parts)

    def _reach(self, number: int, way: Way, key: Key | None, forward: bool) -> str:
        most, steps = self.most(way), self.steps(way, key, forward)
        if self._in_order(way) and way.order == "duration":
            places = f"duration_ms AS ms, id FROM ({steps}) i LIMIT 1 OFFSET {most - 1}"
            return f"SELECT {number} AS number, {most} AS steps, {places}"
        last = "min(id)" if self.descends(forward) else "max(id)"
        return (
            f"SELECT {number} AS number, count(*) AS steps, 0 AS ms, {last} AS id FROM ({steps}) i"
        )

    def steps(self, way: Way, key: Key | None, forward: bool) -> str:
        """The places to which a way leads from `key` on, as many as may be looked at."""
        in_order, most = self._in_order(way), self.most(way)
        # A range of time is no bound in order of duration: those outside are looked at as well.
        where = self._times(way, key, None, forward) if way.order != "duration" else []
        where += self._lengths(way, key, None, forward) if in_order else []
        rest = f"ORDER BY {self._order(forward)} " if in_order else self._fence(way)
        return self._of_way(way, where, f"{rest}LIMIT {most}", "" if not in_order else None)

    def most(self, way: Way) -> int:
        """How many of a way may be looked at: fewer where each is read from all over the table."""
        if way == access_paths.by_time() or (self._in_order(way) and self.tells_all(way)):
            return SCANNED
        in_index = self.filters.sort == "time" and way.order == "duration" and self.tells_all(way)
        # PostgreSQL looks up of each whether it is still there.
        return INDEXED // (1 if self.sqlite else 2) if in_index else FETCHED

    def tells_all(self, way: Way) -> bool:
        """Whether the recordings themselves need not be looked at to find them."""
        return self.conditions.keys() <= way.tells

    def descends(self, forward: bool) -> bool:
        """Whether places become smaller on the way."""
        return forward != self.filters.ascending

    def range(self) -> list[str]:
        """The conditions of the range of time that is asked for."""
        return self._times(access_paths.by_time(), None, None, True)

    def places(self, key: Key | None, end: Key | None, forward: bool) -> dict[str, int]:
        """The parameters of the range of time and of the places between which is looked.

        One bound for each side: of two SQLite takes the first, and looks at all that is between.
        """
        filters, descends = self.filters, self.descends(forward)
        low = place_of(filters.since) if filters.since else 0
        high = place_of(filters.until) if filters.until else _NEVER
        if filters.sort == "time":
            lower, upper = (end, key) if descends else (key, end)
            # What is at the beginning is not looked at again, and the end is.
            low = max(low, *(place + (not descends) for place in lower or ()), 0)
            high = min(high, *(place + (not descends) for place in upper or ()), _NEVER)
        elif key and descends and filters.max_ms is not None:
            key = min(key, (filters.max_ms + 1, 0))
        elif key and not descends and filters.min_ms is not None:
            key = max(key, (filters.min_ms, -1))
        names = (("key", key), ("end", end))
        return {"low": low, "high": high} | {
            f"{name}_{part}": value
            for name, place in names
            for part, value in zip(("id", "ms"), (place or ())[::-1], strict=False)
        }

    def _in_order(self, way: Way) -> bool:
        return way.order == self.filters.sort

    def _ids(self, way: Way, rest: str, key: Key | None, end: Key | None, forward: bool) -> str:
        """What fulfils all conditions of a way between two places."""
        inside = self._times(way, key, end, forward)
        lengths = self._lengths(way, key, end, forward)
        outside = [said for name, said in self.conditions.items() if name not in way.tells]
        (inside if way.order == "duration" else outside).extend(lengths)
        if self.sqlite or way == access_paths.by_time() or (self._in_order(way) and not outside):
            return self._of_way(way, inside + outside, rest)
        # PostgreSQL's planner would go its own way: through the whole table, or through all that
        # fulfils another condition. Behind a limit and an offset it does not look.
        fence = f"{self._fence(way)}LIMIT {max(self.most(way), FETCHED) + 1}"
        ids = self._of_way(way, inside, fence, "")
        if not outside:
            return f"SELECT f.id AS id FROM ({ids}) f {rest}"
        row = "SELECT * FROM recordings r WHERE r.id = f.id OFFSET 0"
        source = f"({ids}) f CROSS JOIN LATERAL ({row}) r"
        return f"SELECT {self._ms}r.id AS id FROM {source} WHERE {' AND '.join(outside)} {rest}"

    def _fence(self, way: Way) -> str:
        """The order of the index that is to be read."""
        order = {"time": "ORDER BY id ", "duration": "ORDER BY r.duration_ms "}.get(way.order, "")
        return "" if self.sqlite else order

    @property
    def _ms(self) -> str:
        return "r.duration_ms AS duration_ms, " if self.filters.sort == "duration" else ""

    def _of_way(self, way: Way, where: list[str], rest: str, ms: str | None = None) -> str:
        ms = self._ms if ms is None else ms
        if way.alone and not ms and all(said.startswith(way.place) for said in where):
            way = replace(way, source=way.alone)
        parts = [
            f"SELECT {ms}{way.place} AS id FROM {way.source}"
            f" WHERE {' AND '.join((_closest(part, where), *where))} {rest}"
            for part in way.parts
        ]
        if len(parts) == 1:
            return parts[0]
        union = " UNION ALL ".join(f"SELECT * FROM ({part}) p" for part in parts)
        return f"SELECT * FROM ({union}) u {rest}"

    def _times(self, way: Way, key: Key | None, end: Key | None, forward: bool) -> list[str]:
        """Within the range of time, and between two places where these are places in time."""
        if self.filters.sort != "time":
            key = end = None
        lower, upper = (end, key) if self.descends(forward) else (key, end)
        low = [f"{way.place} >= :low"] if self.filters.since or lower else []
        return low + ([f"{way.place} < :high"] if self.filters.until or upper else [])

    def _lengths(self, way: Way, key: Key | None, end: Key | None, forward: bool) -> list[str]:
        """Between two places in order of duration, where that is asked for."""
        if self.filters.sort != "duration":
            return []
        before, after = ("<", ">=") if self.descends(forward) else (">", "<=")
        begin = [f"(r.duration_ms, r.id) {before} (:key_ms, :key_id)"] if key else []
        last = [f"(r.duration_ms, r.id) {after} (:end_ms, :end_id)"] if end else []
        has_one = [] if way.order == "duration" else ["r.duration_ms >= 0"]
        return has_one + begin + last

    def _order(self, forward: bool) -> str:
        way = "DESC" if self.descends(forward) else "ASC"
        return f"duration_ms {way}, id {way}" if self.filters.sort == "duration" else f"id {way}"


def _closest(part: str, where: Sequence[str]) -> str:
    """Leave the index to a place where one bounds it too: SQLite seeks by what it reads first."""
    for sign in "<>":
        if any(said.startswith("(r.duration_ms, ") and f") {sign}" in said for said in where):
            part = part.replace(f"r.duration_ms {sign}=", f"+r.duration_ms {sign}=")
    return part
