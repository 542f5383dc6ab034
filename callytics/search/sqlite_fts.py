"""SQLite full-text access path: the FTS5 index of trigrams, and a choice of trigrams for it."""

from functools import lru_cache
from math import inf
from typing import NamedTuple

from sqlalchemy import Connection

from callytics.search.access_paths import AccessPath
from callytics.search.criteria import Criteria
from callytics.search.query_text import TRIGRAM, trigrams
from callytics.search.statements import read

# How far apart the newest 100 hits of a trigram are tells how rare it is, for 0.1 ms each.
SAMPLED = 100
MOST_SAMPLES = 16
# The three rarest leave hardly a recording that does not match. Given common trigrams too, SQLite
# reads all of their hits: a second for "agent 299" among ten million recordings.
GRAMS_USED = 3
# A trigram that is more common than the rarest by this factor takes longer to read than it saves.
TIMES_AS_COMMON = 8


class _Sample(NamedTuple):
    number: int
    hits: int
    # Difference of the first and the last id.
    span: int | None


def access_path(connection: Connection, criteria: Criteria) -> AccessPath:
    """Return the path over the full-text index for the needle of a search."""
    # Longer needles may have their trigrams in another order: then the row is checked.
    exact = len(criteria.needle) == TRIGRAM
    return AccessPath(
        criteria,
        "recordings_search s",
        ("s.recordings_search MATCH :grams",),
        covers=frozenset(("search",)) if exact else frozenset(),
        id_column="s.rowid",
        parameters={"grams": _rarest(connection, criteria.needle)},
        read_once=True,
    )


def _rarest(connection: Connection, needle: str) -> str:
    """Return the FTS5 query of the rarest trigrams: those whose newest hits are furthest apart."""
    quoted = ['"' + gram.replace('"', '""') + '"' for gram in trigrams(needle)[:MOST_SAMPLES]]
    if len(quoted) > 1:
        values = {f"g{number}": gram for number, gram in enumerate(quoted)}
        samples = read(connection, _samples_sql(len(quoted)), values, _Sample)
        spans = {s.number: (s.span or 0) if s.hits == SAMPLED else inf for s in samples}
        rarest = sorted(spans, key=lambda number: -spans[number])
        least = spans[rarest[0]] / TIMES_AS_COMMON
        quoted = [quoted[number] for number in rarest if spans[number] >= least]
    return " AND ".join(quoted[:GRAMS_USED])


@lru_cache
def _samples_sql(number: int) -> str:
    newest = (
        "SELECT rowid FROM recordings_search WHERE recordings_search MATCH :g{0}"
        f" ORDER BY rowid DESC LIMIT {SAMPLED}"
    )
    sample = "SELECT {0} AS number, count(*) AS hits, max(rowid) - min(rowid) AS span"
    return " UNION ALL ".join(f"{sample} FROM ({newest})".format(n) for n in range(number))
