"""PostgreSQL full-text access path: ids from the pg_trgm index, if the search has few matches.

The index reads all entries of each trigram before it returns the first match. So it is asked for
the few trigrams that leave the fewest recordings, and only where a sample of the newest recordings
says that few are left.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from callytics.database.ttl_cache import TtlCache
from callytics.search import access_paths
from callytics.search.access_paths import AccessPath, where
from callytics.search.criteria import Criteria
from callytics.search.query_text import trigrams
from callytics.search.statements import Parameters, read
from callytics.search.window import Window

# The newest recordings in which trigrams are counted, in 3 ms.
SAMPLED = 2_000
MOST_SAMPLES = 12
GRAMS_USED = 3
# Index entries that may be read: about 20 ms.
MOST_READ = 1_500_000
# A wrong estimate is given up after this time, and the newest recordings are scanned instead.
TIMEOUT_MS = 200
_SIZE = text(
    "SELECT reltuples FROM pg_class WHERE oid = 'recordings'::regclass"
    " AND to_regclass('recordings_by_search') IS NOT NULL"
)
# The planner takes a rare trigram for a common one, and would scan the whole table.
_BY_THE_INDEX = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true),"
    f" set_config('statement_timeout', '{TIMEOUT_MS}', true)"
)
_QUERY_CANCELED = "57014"
# Trigrams chosen for a search, which a sample taken a moment later would choose again.
_chosen: TtlCache[list[str]] = TtlCache()


class _Period(NamedTuple):
    """The range of time of a search, as conditions on `r` and their parameters."""

    bounds: list[str]
    parameters: dict[str, int]


def access_path(connection: Connection, criteria: Criteria) -> AccessPath | None:
    """Return the path over the recordings that contain the needle; None if they are many.

    Then a scan from the newest on meets some sooner.
    """
    window = Window.of(criteria.filters)
    period = _Period(window.id_bounds("r.id"), window.parameters())
    parts = _chosen_parts(connection, criteria.needle, period)
    ids = _matches(connection, criteria, parts, period) if parts else None
    return None if ids is None else access_paths.by_ids(criteria, ids, frozenset(("search",)))


def _chosen_parts(connection: Connection, needle: str, period: _Period) -> list[str]:
    """Return the trigrams that the index is asked for; none if a scan is better."""
    parts = _parts(needle)
    cached = (connection.engine.url, *parts, *period.parameters.values(), access_paths.FETCHED)
    chosen = _chosen.get(cached)
    if chosen is None:
        size = connection.scalar(_SIZE) if parts else None
        masks = {} if size is None else _masks(connection, parts, period)
        chosen = _chosen.keep(cached, _choose(masks, parts, size or 0))
    return chosen


def _parts(needle: str) -> list[str]:
    """Return what the index stores of a needle: letters, digits and beginnings of words."""
    whole = [gram for gram in trigrams(needle) if gram.isalnum()]
    if not whole and needle[-1].isalnum() and needle.startswith("\n"):
        whole = [needle]
    return whole[:: -(-len(whole) // MOST_SAMPLES) or 1]


def _masks(connection: Connection, parts: list[str], period: _Period) -> Mapping[int, int]:
    """Return the number of sampled recordings by the parts that they contain, a bit for each."""
    bits = " + ".join(f"{1 << n} * (strpos(t, :g{n}) > 0)::int" for n in range(len(parts)))
    newest = f"SELECT search_text AS t FROM recordings r{where(*period.bounds)}"
    sql = f"""SELECT {bits} AS mask, count(*) FROM ({newest} ORDER BY id DESC LIMIT {SAMPLED}) i
              GROUP BY mask"""
    values = {f"g{n}": part for n, part in enumerate(parts)}
    return dict(read(connection, sql, {**period.parameters, **values}, _mask))


def _mask(mask: int, number: int) -> tuple[int, int]:
    return mask, number


def _choose(masks: Mapping[int, int], parts: list[str], size: float) -> list[str]:
    """Return the parts that together leave the fewest recordings of a table of `size` rows.

    None if those are too many, or if too many entries would have to be read.
    """
    sampled = sum(masks.values())
    if sampled < SAMPLED:
        return []

    def left(numbers: list[int]) -> int:
        bits = sum(1 << number for number in numbers)
        return sum(number for mask, number in masks.items() if mask & bits == bits)

    chosen: list[int] = []
    while len(chosen) < min(GRAMS_USED, len(parts)) and (not chosen or left(chosen)):
        others = [number for number in range(len(parts)) if number not in chosen]
        chosen.append(min(others, key=lambda n: (left([*chosen, n]), left([n]))))
    to_read = sum(left([number]) for number in chosen) * size / sampled
    too_many = left(chosen) * size / sampled > access_paths.FETCHED or to_read > MOST_READ
    return [] if too_many else [parts[number] for number in chosen]


def _matches(
    connection: Connection, criteria: Criteria, parts: list[str], period: _Period
) -> list[int] | None:
    """Return the ids of all recordings that contain the needle, None if they are too many."""
    most = access_paths.FETCHED
    likes = [f"r.search_text LIKE :g{n}" for n in range(len(parts))]
    conditions = where(*likes, criteria.dialect.contains, *period.bounds)
    sql = f"SELECT r.id FROM recordings r{conditions} LIMIT {most + 1}"
    # Letters, digits and marks only: none of them is a wildcard of LIKE.
    values: Parameters = {f"g{n}": f"%{part}%" for n, part in enumerate(parts)}
    ids: list[int] | None = None
    with _by_the_index(connection):
        ids = read(connection, sql, {**criteria.parameters, **period.parameters, **values}, int)
    return ids if ids is not None and len(ids) <= most else None


@contextmanager
def _by_the_index(connection: Connection) -> Iterator[None]:
    """Let a query use the index and end in time; one that takes longer is given up silently."""
    # Rolled back even after success, and the settings with it.
    savepoint = connection.begin_nested()
    try:
        connection.execute(_BY_THE_INDEX)
        yield
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _QUERY_CANCELED:
            raise
    finally:
        savepoint.rollback()
