"""Search window: the part of a sorted list that a query reads, and the cursors between pages.

A window has at most one bound on each side, made of the filters' range and of its own: given two,
SQLite seeks by the first and reads all rows up to the second.
"""

import re
from dataclasses import dataclass, replace

from callytics.database.paging import CursorError
from callytics.recordings.sort_key import first_id_of_second
from callytics.search.filters import Filters, Sort

# Position in the list: (id,) sorted by time, (duration_ms, id) sorted by duration.
Key = tuple[int, ...]
# Upper bound of every id.
_MAX_ID = 10**18


@dataclass(frozen=True)
class Window:
    """Rows of a list after `key` up to and including `end`, read in one direction.

    Without `key` the window begins where the list does, without `end` it reaches to the list's end.
    """

    filters: Filters
    descending: bool
    key: Key | None = None
    end: Key | None = None

    @classmethod
    def of(cls, filters: Filters, key: Key | None = None, forward: bool = True) -> "Window":
        """Return the window from `key` on, towards the end of the list or back to its start."""
        return cls(filters, forward != filters.ascending, key)

    def until(self, end: Key | None) -> "Window":
        """Return the same window with this end."""
        return replace(self, end=end)

    @property
    def sort(self) -> Sort:
        """The column by which the list is sorted."""
        return self.filters.sort

    @property
    def key_before(self) -> Key | None:
        """A key before the first row: a window of the other direction from there includes `key`."""
        return self.key and (*self.key[:-1], self.key[-1] + (-1 if self.descending else 1))

    def key_of(self, ms: int | None, recording_id: int) -> Key:
        """Return the position of a row."""
        return (ms or 0, recording_id) if self.sort == "duration" else (recording_id,)

    def columns(self, id_column: str = "r.id") -> str:
        """Return the columns of a key."""
        ms = "r.duration_ms AS duration_ms, " if self.sort == "duration" else ""
        return f"{ms}{id_column} AS id"

    def order_by(self, table: str = "") -> str:
        """Return the ORDER BY clause, of the columns of `table` ("r.") if one is named."""
        names = ("duration_ms", "id") if self.sort == "duration" else ("id",)
        way = "DESC" if self.descending else "ASC"
        return "ORDER BY " + ", ".join(f"{table}{name} {way}" for name in names)

    def id_bounds(self, column: str) -> list[str]:
        """Return the conditions of the range of ids, which is the range of time."""
        lower, upper = self._sides if self.sort == "time" else (None, None)
        low = [f"{column} >= :low"] if self.filters.since or lower else []
        return low + ([f"{column} < :high"] if self.filters.until or upper else [])

    def duration_bounds(self) -> list[str]:
        """Return the conditions of the range of durations; a list sorted by it always has one."""
        lower, upper = self._key_bounds if self.sort == "duration" else ("", "")
        low, high = lower, upper
        if not lower and self.filters.min_ms is not None:
            low = "r.duration_ms >= :min_ms"
        elif not lower and (self.sort == "duration" or self.filters.max_ms is not None):
            low = "r.duration_ms >= 0"
        if not upper and self.filters.max_ms is not None:
            high = "r.duration_ms <= :max_ms"
        return [bound for bound in (low, high) if bound]

    def parameters(self) -> dict[str, int]:
        """Return the values of the bounds."""
        if self.sort == "time":
            return self._id_range(*self._sides)
        named = (("key", self._inner_key()), ("end", self.end))
        places = {
            f"{name}_{part}": value
            for name, key in named
            if key
            for part, value in zip(("ms", "id"), key, strict=True)
        }
        return self._id_range(None, None) | places

    @property
    def _sides(self) -> tuple[Key | None, Key | None]:
        return (self.end, self.key) if self.descending else (self.key, self.end)

    @property
    def _key_bounds(self) -> tuple[str, str]:
        """The lower and the upper bound of positions, each empty if there is none."""
        above, below = (">=", "<") if self.descending else (">", "<=")
        low, high = ("end", "key") if self.descending else ("key", "end")
        lower, upper = self._sides
        return (
            f"(r.duration_ms, r.id) {above} (:{low}_ms, :{low}_id)" if lower else "",
            f"(r.duration_ms, r.id) {below} (:{high}_ms, :{high}_id)" if upper else "",
        )

    def _id_range(self, lower: Key | None, upper: Key | None) -> dict[str, int]:
        low = first_id_of_second(self.filters.since) if self.filters.since else 0
        high = first_id_of_second(self.filters.until) if self.filters.until else _MAX_ID
        # `key` is not in the window and `end` is; `low` is inclusive and `high` is not.
        after = not self.descending
        low = max(low, *(part + after for part in lower or ()), 0)
        high = min(high, *(part + after for part in upper or ()), _MAX_ID)
        return {"low": low, "high": high}

    def _inner_key(self) -> Key | None:
        """The key, moved into the range of durations, which its condition replaces."""
        low, high = self.filters.min_ms, self.filters.max_ms
        if self.key and self.descending and high is not None:
            return min(self.key, (high + 1, 0))
        if self.key and not self.descending and low is not None:
            return max(self.key, (low, -1))
        return self.key


def parse_cursor(cursor: str, filters: Filters) -> Key:
    """Return the key of a cursor. Raises CursorError."""
    # As many digits as fit into a column of either database.
    form = r"([0-9]{1,10})-([0-9]{1,18})" if filters.sort == "duration" else r"([0-9]{1,18})"
    found = re.fullmatch(form, cursor, re.ASCII)
    if found is None:
        raise CursorError("not a place in the list")
    return tuple(int(part) for part in found.groups())


def cursor_of(key: Key | None) -> str | None:
    """Return the cursor of a key as an address holds it."""
    return "-".join(map(str, key)) if key else None
