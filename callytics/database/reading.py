"""Reads of the database. Needs an app context.

Rows are named tuples: objects of the ORM take as long as rendering the whole template.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, Connection, Executable, Row, Select

from callytics.database.engine import db
from callytics.identifiers import is_uid

# Rows, queries and columns of any type, in SQLAlchemy's terms. A function that returns rows casts
# them to a Protocol that names and types their columns.
AnyRow: TypeAlias = Row[*tuple[Any, ...]]
AnySelect: TypeAlias = Select[*tuple[Any, ...]]
AnyColumn: TypeAlias = ColumnElement[Any]

_ROWS_AT_ONCE = 1000


def reading() -> Connection:
    """Return a connection for one read transaction; use it in a `with` block."""
    return db.engine.connect()


def read(query: Executable) -> Sequence[AnyRow]:
    """Return all rows of a query."""
    with reading() as connection:
        return connection.execute(query).all()


def read_first(query: Executable) -> AnyRow | None:
    """Return the first row of a query, or None."""
    with reading() as connection:
        return connection.execute(query).first()


def read_named(query: AnySelect, uid: str) -> AnyRow | None:
    """Return the first row of a query for `uid`, or None."""
    # PostgreSQL refuses a NUL in a text, so only what can be a uid is looked up.
    return read_first(query) if is_uid(uid) else None


def read_in_batches(query: AnySelect) -> Iterator[AnyRow]:
    """Yield the rows of a query while they are read, without holding all of them in memory."""
    with reading().execution_options(yield_per=_ROWS_AT_ONCE) as connection:
        yield from connection.execute(query)
