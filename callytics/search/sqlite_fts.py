"""SQLite's index of parts of three characters: which of the parts of a search it is asked for."""

from functools import lru_cache
from math import inf

from sqlalchemy import Connection, TextClause, text

from callytics.search.query_text import trigrams

# So many hits of three characters tell how rare they are, for 0.1 ms each.
SAMPLED = 100
MOST_SAMPLES = 16
# The rarest of them leave hardly anything that is not found. With the common ones SQLite would
# read these as well, all of them: a second for "agent 299" among ten million.
GRAMS_USED = 3
# One that is more common than the rarest by this takes longer to read than it spares.
TIMES_AS_COMMON = 8


def rarest_grams(connection: Connection, needle: str) -> str:
    """What FTS5 is asked for: the runs of three characters whose newest hits lie furthest apart."""
    quoted = ['"' + gram.replace('"', '""') + '"' for gram in trigrams(needle)[:MOST_SAMPLES]]
    if len(quoted) > 1:
        values = {f"g{number}": gram for number, gram in enumerate(quoted)}
        sampled = connection.execute(_samples(len(quoted)), values)
        apart = {row.number: row.apart if row.many == SAMPLED else inf for row in sampled}
        rarest = sorted(apart, key=lambda number: -apart[number])
        least = apart[rarest[0]] / TIMES_AS_COMMON
        quoted = [quoted[number] for number in rarest if apart[number] >= least]
    return " AND ".join(quoted[:GRAMS_USED])


@lru_cache
def _samples(number: int) -> TextClause:
    newest = (
        "SELECT rowid FROM recordings_search WHERE recordings_search MATCH :g{0}"
        f" ORDER BY rowid DESC LIMIT {SAMPLED}"
    )
    said = "SELECT {0} AS number, count(*) AS many, max(rowid) - min(rowid) AS apart"
    some = (f"{said} FROM ({newest})".format(place) for place in range(number))
    return text(" UNION ALL ".join(some))
