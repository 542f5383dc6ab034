"""Query planner: the access path that a search reads, and the window in which it reads it.

Each path is probed: one that ends within its budget is read whole, and its result is exact. If none
ends, the list is scanned in its own order, by the path that comes furthest within its budget, and
the next page goes on from the end of the window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection

from callytics.search import access_paths, postgres_trigrams, sqlite_fts
from callytics.search.access_paths import AccessPath
from callytics.search.criteria import Criteria
from callytics.search.dialects import SQLITE, dialect_of
from callytics.search.filters import Filters
from callytics.search.statements import Parameters, Value, read
from callytics.search.window import Window


@dataclass(frozen=True)
class Plan:
    """An access path and the window in which it is read.

    The window has an end where the budget is used up; None if the path ends before.
    """

    path: AccessPath
    window: Window
    # Entries in the window, if they were counted.
    entries: int | None = None

    @property
    def is_whole(self) -> bool:
        """True if the window reaches to the end of the list."""
        return self.window.end is None

    @property
    def total(self) -> int | None:
        """The exact number of matches in the window, if the probe told it."""
        return self.entries if self.is_whole and self.path.is_exact else None

    @property
    def parameters(self) -> Parameters:
        """Values of all parameters of the path's SQL."""
        return {
            **self.path.criteria.parameters,
            **self.path.parameters,
            **self.window.parameters(),
        }

    def matches(self, tail: str) -> str:
        """Return the SQL of the keys that match; `tail` is the ORDER BY and LIMIT of the whole."""
        return self.path.matches(self.window, tail)


class _Probe(NamedTuple):
    number: int
    entries: int
    ms: int
    id: int


class Planner:
    """Plans of one search over one connection."""

    def __init__(self, connection: Connection, filters: Filters) -> None:
        self._connection = connection
        self._criteria = Criteria.of(filters, dialect_of(connection))
        # Paths in the order of the list, and their plans from its beginning.
        self._in_order: list[AccessPath] = []
        self._first: list[Plan] = []
        self._whole = self._plan_whole(Window.of(filters))

    def plan(self, window: Window) -> Plan:
        """Return the plan to read a window that has no end yet."""
        if self._whole:
            return self._whole if window.key is None else Plan(self._whole.path, window)
        plans = self._first if window.key is None else self._probe(self._in_order, window)
        furthest = min if window.descending else max
        whole = (plan for plan in plans if plan.is_whole)
        return next(whole, None) or furthest(plans, key=lambda plan: plan.window.end or ())

    def _plan_whole(self, window: Window) -> Plan | None:
        """Return the plan that can read the list to its end, None if each path must be bounded."""
        paths = self._paths()
        in_order = [path for path in paths if path.in_order]
        others = [path for path in paths if not path.in_order]
        if not paths and not self._criteria.names:
            return Plan(self._list_path(), window)
        if len(paths) == 1 and in_order and paths[0].is_exact:
            # A page is 26 entries, wherever it begins.
            return Plan(paths[0], window)
        # Matches that are frequent are found soonest in the list itself.
        if self._criteria.filters.sort == "time" or not in_order:
            in_order.append(self._list_path())
        plans = self._probe(in_order + others, window)
        self._in_order, self._first = in_order, plans[: len(in_order)]
        whole = [plan for plan in plans if plan.is_whole]
        if not whole and self._criteria.needle and self._criteria.dialect is not SQLITE:
            hits = postgres_trigrams.access_path(self._connection, self._criteria)
            return Plan(hits, window) if hits else None
        return min(whole, key=_cost, default=None)

    def _paths(self) -> list[AccessPath]:
        """Return the paths that the filters open."""
        paths = access_paths.by_filters(self._criteria)
        if self._criteria.needle and self._criteria.dialect is SQLITE:
            paths.append(sqlite_fts.access_path(self._connection, self._criteria))
        filters = self._criteria.filters
        if filters.sort == "duration" and filters.has_period:
            paths.append(access_paths.by_time(self._criteria))
        return paths

    def _list_path(self) -> AccessPath:
        by_duration = self._criteria.filters.sort == "duration"
        return (access_paths.by_duration if by_duration else access_paths.by_time)(self._criteria)

    def _probe(self, paths: Sequence[AccessPath], window: Window) -> list[Plan]:
        """Return each path's plan; the end of one in another order only tells that it has one."""
        probed = [path for path in paths if not path.read_once]
        parts = (path.probe(number, window) for number, path in enumerate(probed))
        sql = " UNION ALL ".join(f"SELECT * FROM ({part}) w" for part in parts)
        parameters = {**self._criteria.parameters, **window.parameters()}
        found = {probe.number: probe for probe in read(self._connection, sql, parameters, _Probe)}
        plans = iter([_plan(path, window, found.get(n)) for n, path in enumerate(probed)])
        return [self._read(path, window) if path.read_once else next(plans) for path in paths]

    def _read(self, path: AccessPath, window: Window) -> Plan:
        """Read the ids of a path, as far as its budget goes, and return the plan over them."""
        parameters: dict[str, Value] = {**path.parameters, **window.parameters()}
        ids = read(self._connection, path.entries(window), parameters, int)
        end = (ids[-1],) if len(ids) == path.budget else None
        found = access_paths.by_ids(self._criteria, ids, path.covers)
        return Plan(found, window.until(end), len(ids))


def _plan(path: AccessPath, window: Window, probe: _Probe | None) -> Plan:
    if probe is None:
        return Plan(path, window)
    if probe.entries < path.budget:
        return Plan(path, window, probe.entries)
    return Plan(path, window.until(window.key_of(probe.ms, probe.id)))


def _cost(plan: Plan) -> int:
    """Entries to read; the whole budget if they were not counted."""
    return plan.path.budget if plan.entries is None else plan.entries
