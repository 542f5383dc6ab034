"""Result rows: the recordings of a plan with their tags, and the number of matches."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol, cast

from sqlalchemy import Connection, Integer, Text, column, text
from sqlalchemy.sql.selectable import TextualSelect

from callytics.recordings.library import COLUMNS, RecordingRow
from callytics.search.planner import Plan
from callytics.search.statements import read

# In order and joined by commas; no tag contains one.
_TAGS = "SELECT t.tag FROM tags t WHERE t.recording_uid = r.uid ORDER BY t.tag"
_COLUMNS = ", ".join(f"r.{column.name}" for column in COLUMNS)


class FoundRow(RecordingRow, Protocol):
    """Row of a recording that a search found."""

    tags: str | None
    # Matches in the window, as far as they were counted.
    number: int


def read_rows(
    connection: Connection, plan: Plan, limit: int, count_limit: int = 0
) -> Sequence[FoundRow]:
    """Return the first `limit` rows; each tells how many match, counted to the higher limit."""
    found = connection.execute(_statement(_sql(plan, limit, count_limit)), plan.parameters)
    return cast(Sequence[FoundRow], found.all())


def count_matches(connection: Connection, plan: Plan, limit: int) -> int:
    """Return how many recordings match, at most `limit`."""
    sql = f"SELECT count(*) FROM ({plan.matches(f'LIMIT {limit}')}) i"
    return read(connection, sql, plan.parameters, int)[0]


def _sql(plan: Plan, limit: int, count_limit: int) -> str:
    order = plan.window.order_by()
    tag_list = plan.path.criteria.dialect.tag_list
    return (
        f"WITH found AS MATERIALIZED ({plan.matches(f'{order} LIMIT {max(limit, count_limit)}')})"
        f" SELECT {_COLUMNS}, (SELECT {tag_list} FROM ({_TAGS}) o) AS tags,"
        " (SELECT count(*) FROM found) AS number"
        f" FROM (SELECT * FROM found {order} LIMIT {limit}) i JOIN recordings r ON r.id = i.id"
        f" {plan.window.order_by('r.')}"
    )


@lru_cache(maxsize=1000)
def _statement(sql: str) -> TextualSelect:
    return text(sql).columns(*COLUMNS, column("tags", Text), column("number", Integer))
