"""The database: one engine, and what SQLite needs to serve several processes at once."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    Connection,
    DateTime,
    Dialect,
    Engine,
    Insert,
    TypeDecorator,
    bindparam,
    event,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import DeclarativeBase

from callytics import pauses
from callytics.config import DATABASE_URL_FORM, PROJECT_DIR, ConfigError

# The longest that a writer waits for another process's write before it gives up, in ms.
BUSY_TIMEOUT_MS = 5000
# What a search looks at twice is read once; SQLite's own 2 MB hold a few hundred recordings.
CACHE_KIB = 16_000


class Base(DeclarativeBase):
    """Parent of every table."""


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate(directory=str(PROJECT_DIR / "callytics" / "migrations"))


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time. SQLite keeps no zone, so it is put back when a row is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class PausedSpans(TypeDecorator[pauses.Spans]):
    """Spans as a tuple, so that a row can be kept by its values; nothing is stored for none."""

    impl = JSON(none_as_null=True)
    cache_ok = True

    def process_bind_param(self, value: pauses.Spans | None, dialect: Dialect) -> Any:
        return [span.to_values() for span in value] if value else None

    def process_result_value(self, value: Any, dialect: Dialect) -> pauses.Spans:
        return pauses.read(value)


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


@contextmanager
def writing() -> Iterator[Connection]:
    """A transaction that writes, committed at the end of the block. Needs an app context."""
    with db.engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def alone(connection: Connection, *tables: type[Base]) -> None:
    """Let nobody else write to these tables until the transaction ends; others may read them.

    On SQLite a transaction that writes is alone already.
    """
    if connection.dialect.name == "postgresql":
        names = ", ".join(str(table.__tablename__) for table in tables)
        connection.exec_driver_sql(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")


def upsert(
    connection: Connection,
    table: type[Base],
    key: str,
    values: Mapping[str, Any],
    new: Mapping[str, Any] | None = None,
) -> None:
    """Insert a row, or bring the one that has the same `key` to `values`. Safe to repeat.

    `new` are values that only a row that was not there gets.
    """
    new = new or {}
    statement = _upsert_statement(table, key, tuple(values), tuple(new), connection.dialect.name)
    connection.execute(statement, {**values, **new})


def insert_missing(connection: Connection, table: type[Base], values: Mapping[str, Any]) -> None:
    """Insert a row unless one with the same key is there."""
    statement = _insert(connection.dialect.name)(table.__table__).values(**values)
    connection.execute(statement.on_conflict_do_nothing())


def _insert(dialect: str) -> Callable[..., Any]:
    return sqlite.insert if dialect == "sqlite" else postgresql.insert


@lru_cache
def _upsert_statement(
    table: type[Base], key: str, columns: tuple[str, ...], new: tuple[str, ...], dialect: str
) -> Insert:
    """Built once: building it takes longer than running it, and a call waits for that."""
    insert = _insert(dialect)(table.__table__)
    changed = {name: insert.excluded[name] for name in columns if name != key}
    bound = insert.values({name: bindparam(name) for name in (*columns, *new)})
    return bound.on_conflict_do_update(index_elements=[key], set_=changed)
