"""Search criteria: the filters as SQL conditions and bind parameters.

Ranges of time and of duration are no conditions but bounds of a window: each access path places
them where it can seek by them.
"""

from dataclasses import dataclass

from callytics.recordings.facts import DIRECTIONS, KINDS, STATES
from callytics.search.dialects import Dialect
from callytics.search.filters import Filters
from callytics.search.query_text import needle
from callytics.search.statements import Parameters

# The first columns of the index recordings_by_sort, each with all of its values.
CLASSES = {"state": STATES, "kind": KINDS, "direction": DIRECTIONS}
_EQUAL = (*CLASSES, "flow", "callee")
_TAGGED = "EXISTS (SELECT 1 FROM tags WHERE tag = :tag AND recording_uid = r.uid)"
# The range of durations as a criterion that an access path may cover.
DURATION = "duration"


@dataclass(frozen=True)
class Criteria:
    """Conditions on a recording and their parameters, in the SQL of one database."""

    filters: Filters
    dialect: Dialect
    # The text to search for, empty if none is.
    needle: str
    # By filter.
    conditions: dict[str, str]
    parameters: Parameters
    # Names of the conditions, and DURATION if a range of durations is asked for.
    names: frozenset[str]

    @classmethod
    def of(cls, filters: Filters, dialect: Dialect) -> "Criteria":
        """Return the criteria of filters."""
        part = needle(filters.search)
        conditions = {name: f"r.{name} = :{name}" for name in _EQUAL if getattr(filters, name)}
        if filters.tag:
            conditions["tag"] = _TAGGED
        if part:
            conditions["search"] = dialect.contains
        values = {name: getattr(filters, name) for name in (*_EQUAL, "tag", "min_ms", "max_ms")}
        ranges = (DURATION,) if filters.has_duration_range else ()
        names = frozenset((*conditions, *ranges))
        return cls(filters, dialect, part, conditions, {**values, "needle": part}, names)

    def without(self, covered: frozenset[str]) -> list[str]:
        """Return the conditions of all filters but these."""
        return [condition for name, condition in self.conditions.items() if name not in covered]
