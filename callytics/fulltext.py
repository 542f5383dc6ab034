"""SQLite's index of parts of three characters: which of the parts of a search it is asked for."""

from functools import lru_cache

from sqlalchemy import Connection, TextClause, text

from callytics.searching import grams

# So many hits of three characters tell how rare they are, for 0.1 ms each.
SAMPLED = 100
MOST_SAMPLES = 16
# The rarest of them leave hardly anything that is not found. With the common ones SQLite would
# read these as well, all of them: a second for "agent 299" among ten million.
GRAMS_USED = 3


def rarest_grams(connection: Connection, needle: str) -> str:
    """What FTS5 is asked for: the runs of three characters whose newest hits are the oldest."""
    quoted = ['"' + gram.replace('"', '""') + '"' for gram in grams(needle)[:MOST_SAMPLES]]
    if len(quoted) > GRAMS_USED:
        values = {f"g{number}": gram for number, gram in enumerate(quoted)}
        rows = connection.execute(_samples(len(quoted)), values)
        rarity = {number: (many == SAMPLED, oldest or 0) for number, many, oldest in rows}
        quoted = [quoted[number] for number in sorted(rarity, key=rarity.__getitem__)]
    return " AND ".join(quoted[:GRAMS_USED])


@lru_cache
def _samples(number: int) -> TextClause:
    newest = (
        "SELECT rowid FROM recordings_search WHERE recordings_search MATCH :g{0}"
        f" ORDER BY rowid DESC LIMIT {SAMPLED}"
    )
    some = (f"SELECT {{0}}, count(*), min(rowid) FROM ({newest})".format(n) for n in range(number))
    return text(" UNION ALL ".join(some))
