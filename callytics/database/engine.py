"""The database: one engine, and what SQLite needs to serve several processes at once."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    Connection,
    Engine,
    Insert,
    bindparam,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import DeclarativeBase

from callytics.config import DATABASE_URL_FORM, PROJECT_DIR, ConfigError

# The longest that a writer waits for another process's write before it gives up, in ms.
BUSY_TIMEOUT_MS = 5000
# What a search looks at twice is read once; SQLite's own 2 MB hold a few hundred recordings.
CACHE_KIB = 16_000


class Base(DeclarativeBase):
    """Parent of every table."""


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate(directory=str(PROJECT_DIR / "callytics" / "migrations"))


def init_db(app: Flask) -> None:
    """Bind the database to `app`. Raises ConfigError for an address that cannot be read."""
    try:
        db.init_app(app)
    except (ArgumentError, ValueError) as error:
        raise ConfigError(DATABASE_URL_FORM) from error
    migrate.init_app(app, db)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            _serve_many_processes(db.engine)
        else:
            _end_with_us(db.engine)


def _serve_many_processes(engine: Engine) -> None:
    """WAL and immediate transactions: a deferred one that turns into a write fails when another
    process wrote in between, an immediate one waits its turn."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = NORMAL")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get("isolation_level") == "AUTOCOMMIT":
            # A migration that goes in small steps begins and ends each of them by itself.
            return
        writes = options.get("writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _end_with_us(engine: Engine) -> None:
    """Let PostgreSQL look whether we still wait for an answer. What a request has given up, or a
    process that has died, would otherwise be computed to its end, or wait for a lock for ever."""

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        try:
            connection.execute("SET client_connection_check_interval = '1s'")
            connection.commit()
        except connection.Error:
            # Before version 14, and on some systems, it cannot.
            connection.rollback()


@dataclass
class _Group:
    connection: Connection
    failed: bool = False

    @contextmanager
    def part(self) -> Iterator[Connection]:
        try:
            yield self.connection
        except BaseException:
            self.failed = True
            raise


_group: ContextVar[_Group | None] = ContextVar("callytics.db.group", default=None)


@contextmanager
def writing() -> Iterator[Connection]:
    """A transaction that writes, committed at the end of the block. Needs an app context.

    In a block of `together`, a part of its transaction.
    """
    if group := _group.get():
        with group.part() as connection:
            yield connection
        return
    with db.engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


@contextmanager
def together() -> Iterator[Connection]:
    """One transaction for all that is written in the block: either all of it is kept or nothing.

    Nothing also where one part failed and somebody caught its error.
    """
    with writing() as connection:
        group = _Group(connection)
        token = _group.set(group)
        try:
            yield connection
        finally:
            _group.reset(token)
        if group.failed:
            raise RuntimeError("a part of what was to be written together failed")


def alone(connection: Connection, *tables: type[Base]) -> None:
    """Let nobody else write to these tables until the transaction ends; others may read them.

    On SQLite a transaction that writes is alone already.
    """
    if connection.dialect.name == "postgresql":
        names = ", ".join(str(table.__tablename__) for table in tables)
        connection.exec_driver_sql(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")


def upsert(connection: Connection, table: type[Base], key: str, values: Mapping[str, Any]) -> None:
    """Insert a row, or bring the one that has the same `key` to `values`. Safe to repeat."""
    statement = _upsert_statement(table, key, tuple(values), connection.dialect.name)
    connection.execute(statement, values)


def insert_missing(
    connection: Connection, table: type[Base], values: Mapping[str, Any], *key: str
) -> bool:
    """Insert a row unless one with the same `key` is there, or with any that must be its own.

    Says whether it was inserted.
    """
    statement = _insert_statement(table, tuple(values), key, connection.dialect.name)
    return connection.execute(statement, values).rowcount == 1


# Both are built once: building one takes longer than running it, and a call waits for that.


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


def _insert(table: type[Base], columns: tuple[str, ...], dialect: str) -> Any:
    insert = (sqlite if dialect == "sqlite" else postgresql).insert(table.__table__)
    return insert.values({name: bindparam(name) for name in columns})
