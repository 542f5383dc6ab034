"""Counts of a search: exact up to a limit, and cached where they take long."""

from dataclasses import dataclass
from time import monotonic

from sqlalchemy import URL, Connection

from callytics.database.engine import db
from callytics.database.reading import reading
from callytics.database.ttl_cache import TtlCache
from callytics.search.filters import Filters
from callytics.search.planner import Plan, Planner
from callytics.search.rows import count_matches
from callytics.search.window import Window

COUNTED = 10_000


@dataclass(frozen=True)
class Count:
    """The number of matches: exactly `number`, or at least as many."""

    number: int
    exact: bool
    # True after `extend_count`, which took as long as a page may wait.
    at_length: bool = False

    @property
    def may_go_on(self) -> bool:
        """True if `extend_count` may find more."""
        return not (self.exact or self.at_length) and self.number < COUNTED


NOT_COUNTED = Count(0, False)

# Counts above the limit, which stay there for a while, and counts that took long.
_counts: TtlCache[Count] = TtlCache()


def extend_count(filters: Filters, seconds: float) -> Count:
    """Count in as many bounded steps as fit into `seconds`, where a page reads too few rows.

    Pages show the result for a while. Needs an app context.
    """
    until = monotonic() + seconds
    with reading() as connection:
        planner, window, number = Planner(connection, filters), Window.of(filters), 0
        while True:
            plan = planner.plan(window)
            number += count_matches(connection, plan, COUNTED + 1 - number)
            if plan.is_whole or number > COUNTED or monotonic() > until:
                count = Count(min(number, COUNTED), plan.is_whole and number <= COUNTED, True)
                return _counts.keep(_name(connection.engine.url, filters), count)
            window = Window.of(filters, plan.window.end)


def known_count(filters: Filters) -> Count | None:
    """Return a cached count, None if there is none. Needs an app context."""
    return _counts.get(_name(db.engine.url, filters))


def count_of(connection: Connection, plan: Plan) -> Count:
    """Return the count of a plan from the beginning of the list, known by its probe or counted."""
    if plan.total is not None:
        return limited(plan.total, plan)
    count = limited(count_matches(connection, plan, COUNTED + 1), plan)
    if count.number == COUNTED and not count.exact:
        _counts.keep(_name(connection.engine.url, plan.window.filters), count)
    return count


def limited(number: int, plan: Plan) -> Count:
    """Return the count of so many matches in the window of a plan."""
    return Count(min(number, COUNTED), number <= COUNTED and plan.is_whole)


def _name(url: URL, filters: Filters) -> tuple[URL, Filters]:
    return url, filters
