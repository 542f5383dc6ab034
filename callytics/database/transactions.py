"""Transactions that write, and upserts. Needs an app context."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from sqlalchemy import Connection, Insert, Table, bindparam
from sqlalchemy.dialects import postgresql, sqlite

from callytics.database.engine import Base, db


@dataclass
class _SharedTransaction:
    connection: Connection
    failed: bool = False

    @contextmanager
    def part(self) -> Iterator[Connection]:
        try:
            yield self.connection
        except BaseException:
            self.failed = True
            raise


_shared: ContextVar[_SharedTransaction | None] = ContextVar(
    "callytics.database.shared_transaction", default=None
)


@contextmanager
def writing() -> Iterator[Connection]:
    """Open a transaction that writes, and commit it at the end of the block.

    Inside a block of `single_transaction`, join its transaction.
    """
    if shared := _shared.get():
        with shared.part() as connection:
            yield connection
        return
    with db.engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def single_transaction() -> Iterator[Connection]:
    """Run every `writing` block inside this block in one transaction: all or nothing.

    Raises RuntimeError, and writes nothing, if one of them failed and its error was caught.
    """
    with writing() as connection:
        shared = _SharedTransaction(connection)
        token = _shared.set(shared)
        try:
            yield connection
        finally:
            _shared.reset(token)
        if shared.failed:
            raise RuntimeError("a part of what was to be written together failed")


def lock_tables(connection: Connection, *tables: type[Base]) -> None:
    """Keep others from writing to these tables until the transaction ends; they may still read.

    SQLite needs nothing: it has one writer at a time.
    """
    if connection.dialect.name == "postgresql":
        names = ", ".join(str(table.__tablename__) for table in tables)
        connection.exec_driver_sql(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")


def upsert(
    connection: Connection, table: type[Base], key: str, values: Mapping[str, object]
) -> None:
    """Insert a row, or set the row with the same `key` to `values`. Safe to repeat."""
    statement = _upsert_statement(table, key, tuple(values), connection.dialect.name)
    connection.execute(statement, values)


def insert_missing(
    connection: Connection, table: type[Base], values: Mapping[str, object], *key: str
) -> bool:
    """Insert a row unless it conflicts on the columns `key`, or on any unique column if none given.

    Return True if it was inserted.
    """
    statement = _insert_statement(table, tuple(values), key, connection.dialect.name)
    return connection.execute(statement, values).rowcount == 1


def insert_all_missing(
    connection: Connection, table: type[Base], rows: Sequence[Mapping[str, object]], *key: str
) -> None:
    """Insert rows with the same columns, leaving out those that conflict on the columns `key`."""
    if rows:
        statement = _insert_statement(table, tuple(rows[0]), key, connection.dialect.name)
        connection.execute(statement, rows)


# Both are cached: building a statement takes longer than running it, and a call waits for that.


@lru_cache
def _upsert_statement(
    table: type[Base], key: str, columns: tuple[str, ...], dialect: str
) -> Insert:
    insert = _insert(table, columns, dialect)
    changed = {name: insert.excluded[name] for name in columns if name != key}
    return insert.on_conflict_do_update(index_elements=[key], set_=changed)


@lru_cache
def _insert_statement(
    table: type[Base], columns: tuple[str, ...], key: tuple[str, ...], dialect: str
) -> Insert:
    return _insert(table, columns, dialect).on_conflict_do_nothing(index_elements=key or None)


def _insert(
    table: type[Base], columns: tuple[str, ...], dialect: str
) -> sqlite.Insert | postgresql.Insert:
    make = sqlite.insert if dialect == "sqlite" else postgresql.insert
    return make(cast(Table, table.__table__)).values({name: bindparam(name) for name in columns})
