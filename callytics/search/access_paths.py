"""The ways that lead to what somebody looks for: each an index, with what it can tell by itself.

SQL as text: it depends on which filters are given, never on their values, so that both databases
and SQLAlchemy know each statement from the time before. Table `r` is recordings.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from callytics.recordings.facts import DIRECTIONS, KINDS, STATES
from callytics.search.filters import Filters
from callytics.search.query_text import TRIGRAM, needle

SORTS = {"state": STATES, "kind": KINDS, "direction": DIRECTIONS}


@dataclass(frozen=True)
class Way:
    """Rows of `source` that fulfil one of `parts`, read in order of `order`."""

    source: str
    # Conditions that the index answers. Several parts are read each in order, then merged.
    parts: tuple[str, ...]
    # Which filters need no second look at what this way finds.
    tells: frozenset[str]
    order: str = "time"
    # The column that is the place in time; for a full-text index its own, or it would not use it.
    place: str = "r.id"
    # What is enough to count its steps, where nothing is asked of the rows themselves.
    alone: str = ""
    # The ids that it is made of, where it is not an index.
    found: tuple[int, ...] | None = None


def conditions(filters: Filters, sqlite: bool) -> dict[str, str]:
    """What a row must fulfil, by the name of the filter; parameters as `parameters` names them."""
    given = {
        name: f"r.{name} = :{name}" for name in (*SORTS, "flow", "callee") if getattr(filters, name)
    }
    if filters.tag:
        tagged = "SELECT 1 FROM tags WHERE tag = :tag AND recording_uid = r.uid"
        given["tag"] = f"EXISTS ({tagged})"
    if needle(filters.search):
        given["search"] = "instr(r.search_text, :needle) > 0"
        if not sqlite:
            given["search"] = "strpos(r.search_text, :needle) > 0"
    if filters.min_ms is not None:
        given["min_ms"] = "r.duration_ms >= :min_ms"
    if filters.max_ms is not None:
        given["max_ms"] = "r.duration_ms <= :max_ms"
    return given


def parameters(filters: Filters) -> dict[str, Any]:
    """The values of all parameters, needed or not."""
    names = (*SORTS, "flow", "callee", "tag", "min_ms", "max_ms")
    return {
        **{name: getattr(filters, name) for name in names},
        "needle": needle(filters.search),
    }


def by_time() -> Way:
    """The table itself, which is in order of time."""
    return Way("recordings r", ("1 = 1",), frozenset())


def by_duration(filters: Filters, sqlite: bool) -> Way:
    """The index of durations, from the shortest to the longest that is asked for."""
    least = "r.duration_ms >= " + ("0" if filters.min_ms is None else ":min_ms")
    most = "" if filters.max_ms is None else " AND r.duration_ms <= :max_ms"
    tells = frozenset(("min_ms", "max_ms"))
    return Way(_by("recordings_by_duration", sqlite), (least + most,), tells, "duration")


def narrowing(filters: Filters, sqlite: bool) -> list[Way]:
    """A way for each filter that has an index."""
    found = [
        Way(_by(f"recordings_by_{name}", sqlite), (f"r.{name} = :{name}",), frozenset((name,)))
        for name in ("flow", "callee")
        if getattr(filters, name)
    ]
    if filters.tag:
        found.append(_by_tag(sqlite))
    if any(getattr(filters, name) for name in SORTS):
        found.append(_by_sort(filters, sqlite))
    if filters.min_ms is not None or filters.max_ms is not None:
        found.append(by_duration(filters, sqlite))
    if sqlite and needle(filters.search):
        found.append(_by_grams(filters))
    return found


def by_ids(found: Sequence[int], tells: Iterable[str], sqlite: bool) -> Way:
    """Those that an index has found already."""
    source = "unnest(CAST(:found AS bigint[])) AS r(id)"
    if sqlite:
        source = "json_each(:found) f CROSS JOIN recordings r ON r.id = f.value"
    return Way(source, ("1 = 1",), frozenset(tells), found=tuple(found))


def _by_sort(filters: Filters, sqlite: bool) -> Way:
    """Each combination of the three that can be meant is a range of one index, in order of time.

    So that any of them is exact, also those of which there are none: no outbound call waits in a
    queue, and no walk through millions of rows should have to find that out.
    """
    given = [[getattr(filters, name)] if getattr(filters, name) else SORTS[name] for name in SORTS]
    parts = tuple(
        " AND ".join(f"r.{name} = '{value}'" for name, value in zip(SORTS, values, strict=True))
        for values in product(*given)
    )
    return Way(_by("recordings_by_sort", sqlite), parts, frozenset(SORTS))


def _by_tag(sqlite: bool) -> Way:
    # In no order: the few that most tags are on are sorted when they are read.
    source = f"tags t {'CROSS JOIN' if sqlite else 'JOIN'} recordings r ON r.uid = t.recording_uid"
    return Way(source, ("t.tag = :tag",), frozenset(("tag",)), "none")


def _by_grams(filters: Filters) -> Way:
    # More than one run of characters may stand in another order: then the row has the last word.
    exact = len(needle(filters.search)) == TRIGRAM
    return Way(
        "recordings_search s CROSS JOIN recordings r ON r.id = s.rowid",
        ("s.recordings_search MATCH :grams",),
        frozenset(("search",)) if exact else frozenset(),
        place="s.rowid",
        alone="recordings_search s",
    )


def _by(index: str, sqlite: bool) -> str:
    # SQLite's planner knows nothing of how common a value is, and would sort the whole index.
    return f"recordings r INDEXED BY {index}" if sqlite else "recordings r"
