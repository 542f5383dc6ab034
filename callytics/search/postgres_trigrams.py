"""PostgreSQL's index of parts of three characters: when to ask it, and for which of them.

It reads all it has of each part before it gives the first hit. So it is asked for the few that
leave the least, and only where the newest recordings say that little is left.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

from callytics.database.ttl_cache import Briefly
from callytics.search.query_text import trigrams

# So many of the newest tell how often a part stands in a recording, in 3 ms.
SAMPLED = 2_000
MOST_SAMPLES = 12
GRAMS_USED = 3
# Places in the index that may be read: some 20 ms.
MOST_READ = 1_500_000
# Where it takes longer than was thought, the newest recordings are gone through after all.
PATIENCE_MS = 200
_SIZE = text(
    "SELECT reltuples FROM pg_class WHERE oid = 'recordings'::regclass"
    " AND to_regclass('recordings_by_search') IS NOT NULL"
)
# The planner takes a rare part for a common one, and would read the whole table for it.
_BY_THE_INDEX = text(
    "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_indexscan', 'off', true),"
    f" set_config('statement_timeout', '{PATIENCE_MS}', true)"
)
# What the newest said of a search.
_chosen: Briefly[list[str]] = Briefly()


def hits(
    connection: Connection, parameters: Mapping[str, Any], within: Sequence[str], most: int
) -> list[int] | None:
    """Ids of the recordings `within` a range that hold the needle; None where they are many.

    Then whoever goes through the newest finds some sooner.
    """
    parts = _parts(parameters["needle"])
    of = (connection.engine.url, *parts, parameters["low"], parameters["high"], most)
    chosen = _chosen.get(of)
    if chosen is None:
        size = connection.scalar(_SIZE) if parts else None
        masks = {} if size is None else _masks(connection, parts, parameters, within)
        chosen = _chosen.keep(of, _choose(masks, parts, size or 0, most))
    return _read(connection, chosen, parameters, within, most) if chosen else None


def _parts(needle: str) -> list[str]:
    """What the index can be asked for; it knows letters and digits, and where words begin."""
    whole = [gram for gram in trigrams(needle) if gram.isalnum()]
    if not whole and needle[-1].isalnum() and needle.startswith("\n"):
        whole = [needle]
    return whole[:: -(-len(whole) // MOST_SAMPLES) or 1]


def _masks(
    connection: Connection, parts: list[str], parameters: Mapping[str, Any], within: Sequence[str]
) -> dict[int, int]:
    """How many of the newest hold which parts: a bit for each."""
    bits = " + ".join(f"{1 << n} * (strpos(t, :g{n}) > 0)::int" for n in range(len(parts)))
    newest = f"SELECT search_text AS t FROM recordings r WHERE {' AND '.join(('true', *within))}"
    sql = f"""SELECT {bits} AS mask, count(*) FROM ({newest} ORDER BY id DESC LIMIT {SAMPLED}) i
              GROUP BY mask"""
    values = {f"g{n}": part for n, part in enumerate(parts)}
    found = connection.execute(text(sql), {**parameters, **values})
    return dict(map(tuple, found))


def _choose(masks: dict[int, int], parts: list[str], size: float, most: int) -> list[str]:
    """The parts that together leave the least; none where that is much, or much is to be read."""
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
    too_much = left(chosen) * size / sampled > most or to_read > MOST_READ
    return [] if too_much else [parts[number] for number in chosen]


def _read(
    connection: Connection,
    parts: list[str],
    parameters: Mapping[str, Any],
    within: Sequence[str],
    most: int,
) -> list[int] | None:
    likes = [f"r.search_text LIKE :g{n}" for n in range(len(parts))]
    where = " AND ".join((*likes, "strpos(r.search_text, :needle) > 0", *within))
    # Letters and digits alone, and marks: nothing in them means more to LIKE.
    values = {f"g{n}": f"%{part}%" for n, part in enumerate(parts)}
    sql = text(f"SELECT r.id FROM recordings r WHERE {where} LIMIT {most + 1}")
    # Rolled back even when all is well, and with it what was set for this alone.
    aside = connection.begin_nested()
    try:
        connection.execute(_BY_THE_INDEX)
        found = list(connection.scalars(sql, {**parameters, **values}))
    except OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != "57014":  # broken off, as was asked for
            raise
        return None
    finally:
        aside.rollback()
    return found if len(found) <= most else None
