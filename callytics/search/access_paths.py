"""Access paths: the indexes by which a search can read recordings, and the SQL of reading them.

Each path bounds what it reads. In the order of the list it may end anywhere, and the next page goes
on from there; in any other order it is of use only if it ends within its budget.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Literal

from callytics.search.criteria import CLASSES, DURATION, Criteria
from callytics.search.statements import Parameters
from callytics.search.window import Window

# Budgets of about 5 ms on either database: rows in the order of the list (0.2 µs each), rows from
# all over the table (2 to 4 µs each), and index entries without their rows (0.1 µs each).
SCANNED = 10_000
FETCHED = 2_000
INDEXED = 20_000

Order = Literal["time", "duration", "none"]
# Order of each kind of index; the table of tags has none.
_INDEX_ORDER = {"time": "ORDER BY id ", "duration": "ORDER BY r.duration_ms ", "none": ""}


@dataclass(frozen=True)
class AccessPath:
    """One way to read recordings: an index, the table, or ids that are known."""

    criteria: Criteria
    # FROM clause.
    source: str
    # Conditions by which the index is read. Several are each read in order, then merged.
    ranges: tuple[str, ...] = ("",)
    # Names of the criteria that every entry meets, so that its row need not be checked.
    covers: frozenset[str] = frozenset()
    order: Order = "time"
    # Column of the id; a full-text index has its own, by which alone it can be read in order.
    id_column: str = "r.id"
    parameters: Parameters = field(default_factory=dict)
    # True for the table itself, whose rows are read without an index.
    is_table: bool = False
    # True if entries are slow to find, so that ids are kept rather than read again.
    read_once: bool = False

    @property
    def in_order(self) -> bool:
        """True if entries come in the order of the list, or in its reverse."""
        return self.order == self.criteria.filters.sort

    @property
    def covers_all(self) -> bool:
        """True if no row has to be read to know whether it meets the criteria."""
        return self.criteria.names <= self.covers

    @property
    def is_exact(self) -> bool:
        """True if every entry belongs to the list."""
        filters = self.criteria.filters
        # An index of durations ends at no time, other indexes hold rows without a duration.
        by_duration = self.order == "duration"
        fits = not filters.has_period if by_duration else filters.sort == "time"
        return self.covers_all and fits

    @property
    def budget(self) -> int:
        """The number of entries that may be read."""
        if self.is_table or (self.in_order and self.covers_all):
            return SCANNED
        if self.order == "duration" and not self.in_order and self.covers_all:
            return INDEXED // self.criteria.dialect.entry_cost
        return FETCHED

    def probe(self, number: int, window: Window) -> str:
        """Return the SQL of a probe: how many entries follow the key, and the last one's position.

        Its row is `number`, entries, ms, id. There is none for an index of durations that is read
        in the order of the list and ends within its budget.
        """
        entries = self.entries(window)
        if self.in_order and self.order == "duration":
            last = f"duration_ms AS ms, id FROM ({entries}) i LIMIT 1 OFFSET {self.budget - 1}"
            return f"SELECT {number} AS number, {self.budget} AS entries, {last}"
        last = "min(id)" if window.descending else "max(id)"
        counted = f"{number} AS number, count(*) AS entries, 0 AS ms, {last} AS id"
        return f"SELECT {counted} FROM ({entries}) i"

    def entries(self, window: Window) -> str:
        """Return the SQL of the entries that follow the key, as many as the budget allows."""
        # A period bounds no index of durations: it reads the entries of other times as well.
        by_duration = self.order == "duration"
        bounds = window.duration_bounds() if by_duration else window.id_bounds(self.id_column)
        if self.in_order:
            columns, order = window.columns(self.id_column), f"{window.order_by()} "
        else:
            columns, order = f"{self.id_column} AS id", self._index_order
        return self._select(columns, bounds, f"{order}LIMIT {self.budget}")

    def matches(self, window: Window, tail: str) -> str:
        """Return the SQL of the keys in a window that meet all criteria.

        `tail` is the ORDER BY and LIMIT of the whole.
        """
        inside, outside = window.id_bounds(self.id_column), self.criteria.without(self.covers)
        (inside if self.order == "duration" else outside).extend(window.duration_bounds())
        names_index = self.criteria.dialect.names_index
        if names_index or self.is_table or (self.in_order and not outside):
            return self._select(window.columns(self.id_column), inside + outside, tail)
        return self._led(window, inside, outside, tail)

    def _led(self, window: Window, inside: list[str], outside: list[str], tail: str) -> str:
        """Return the same for PostgreSQL, whose planner does not look behind a limit or an offset.

        Otherwise it would read the whole table, or all rows that meet another condition.
        """
        entries = self._select(
            f"{self.id_column} AS id", inside, f"{self._index_order}LIMIT {self.budget + 1}"
        )
        if not outside:
            return f"SELECT f.id AS id FROM ({entries}) f {tail}"
        row = "SELECT * FROM recordings r WHERE r.id = f.id OFFSET 0"
        source = f"({entries}) f CROSS JOIN LATERAL ({row}) r"
        return f"SELECT {window.columns()} FROM {source}{where(*outside)} {tail}"

    def _select(self, columns: str, conditions: Iterable[str], tail: str) -> str:
        selects = [
            f"SELECT {columns} FROM {self.source}{where(part, *conditions)} {tail}"
            for part in self.ranges
        ]
        if len(selects) == 1:
            return selects[0]
        union = " UNION ALL ".join(f"SELECT * FROM ({select}) p" for select in selects)
        return f"SELECT * FROM ({union}) u {tail}"

    @property
    def _index_order(self) -> str:
        return "" if self.criteria.dialect.names_index else _INDEX_ORDER[self.order]


def where(*conditions: str) -> str:
    """Return the WHERE clause of conditions joined by AND, empty if all of them are."""
    given = " AND ".join(filter(None, conditions))
    return f" WHERE {given}" if given else ""


def by_time(criteria: Criteria) -> AccessPath:
    """Return the path over the table, whose ids ascend with time."""
    return AccessPath(criteria, "recordings r", is_table=True)


def by_duration(criteria: Criteria) -> AccessPath:
    """Return the path over the index of durations."""
    source = criteria.dialect.indexed("recordings_by_duration")
    return AccessPath(criteria, source, covers=frozenset((DURATION,)), order="duration")


def by_ids(criteria: Criteria, ids: Sequence[int], covers: frozenset[str]) -> AccessPath:
    """Return the path over recordings whose ids are known, in order of time."""
    parameters = {"ids": criteria.dialect.ids_value(ids)}
    return AccessPath(criteria, criteria.dialect.ids_source, covers=covers, parameters=parameters)


def by_filters(criteria: Criteria) -> list[AccessPath]:
    """Return the path over the index of each filter that has one, full text excepted."""
    filters = criteria.filters
    paths = [_by_value(criteria, name) for name in ("flow", "callee") if getattr(filters, name)]
    if filters.tag:
        paths.append(_by_tag(criteria))
    if any(getattr(filters, name) for name in CLASSES):
        paths.append(_by_classes(criteria))
    if filters.has_duration_range:
        paths.append(by_duration(criteria))
    return paths


def _by_value(criteria: Criteria, name: str) -> AccessPath:
    source = criteria.dialect.indexed(f"recordings_by_{name}")
    return AccessPath(criteria, source, (criteria.conditions[name],), frozenset((name,)))


def _by_tag(criteria: Criteria) -> AccessPath:
    # In no order: most tags are on few recordings, which are sorted when they are read.
    joined = f"{criteria.dialect.ordered_join} recordings r ON r.uid = t.recording_uid"
    return AccessPath(criteria, f"tags t {joined}", ("t.tag = :tag",), frozenset(("tag",)), "none")


def _by_classes(criteria: Criteria) -> AccessPath:
    """Return the path over state, kind and direction: a range for each combination that matches.

    Each range is in order of time, so a combination that no recording has is known at once and
    needs no scan of the table.
    """
    chosen = {name: getattr(criteria.filters, name) for name in CLASSES}
    # Constants of `facts`, never text from a request: each range needs values of its own.
    given = [[v for v in values if chosen[name] in ("", v)] for name, values in CLASSES.items()]
    ranges = tuple(
        " AND ".join(f"r.{name} = '{value}'" for name, value in zip(CLASSES, values, strict=True))
        for values in product(*given)
    )
    source = criteria.dialect.indexed("recordings_by_sort")
    return AccessPath(criteria, source, ranges or ("1 = 0",), frozenset(CLASSES))
