"""Statement cache: SQL text as SQLAlchemy clauses that are parsed once, and typed results.

The text of a search depends on which filters are set and never on their values, so a library needs
few statements, and SQLAlchemy and both databases recognize them.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TypeVar

from sqlalchemy import Connection, TextClause, text

# Value of a bind parameter; PostgreSQL takes a list of ids as an array.
Value = str | int | Sequence[int] | None
Parameters = Mapping[str, Value]

_Result = TypeVar("_Result")


def read(
    connection: Connection, sql: str, parameters: Parameters, into: Callable[..., _Result]
) -> list[_Result]:
    """Run a query and return its rows, each made by `into` from the columns in order."""
    return [into(*row) for row in connection.execute(statement(sql), parameters)]


@lru_cache(maxsize=1000)
def statement(sql: str) -> TextClause:
    """Return the clause of an SQL text."""
    return text(sql)
