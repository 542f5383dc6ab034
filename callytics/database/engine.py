"""SQLAlchemy engine, and the settings with which several processes share the database."""

import os
import sqlite3
import threading
import time
from functools import partial
from typing import cast

from flask import Flask
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from gevent.monkey import get_original
from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import ArgumentError
from sqlalchemy.orm import DeclarativeBase

from callytics.config import DATABASE_URL_FORM, PROJECT_DIR, ConfigError
from callytics.database.postgres import configure_postgres

# The longest wait for another process's write, in ms.
BUSY_TIMEOUT_MS = 5000
# Page cache of SQLite. Its default of 2 MB holds a few hundred recordings, and a search reads more.
CACHE_KIB = 16_000

_native_sleep = get_original("time", "sleep")


class Base(DeclarativeBase):
    """Base class of every table."""


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})
migrate = Migrate(directory=str(PROJECT_DIR / "callytics" / "migrations"))


def init_db(app: Flask) -> None:
    """Bind the database to `app`. Raises ConfigError for a DATABASE_URL that cannot be parsed."""
    try:
        db.init_app(app)
    except (ArgumentError, ValueError) as error:
        raise ConfigError(DATABASE_URL_FORM) from error
    migrate.init_app(app, db)
    with app.app_context():
        app.extensions["to_close"].append(partial(_close, db.engine))
        if db.engine.dialect.name == "sqlite":
            _configure_sqlite(db.engine)
        else:
            configure_postgres(db.engine)


def _close(engine: Engine) -> None:
    """Close the connections of the pool, and those that threads still use once they are done."""
    pool = engine.pool
    engine.dispose()
    event.listen(pool, "checkin", lambda _connection, record: record.invalidate())


def _configure_sqlite(engine: Engine) -> None:
    """Use WAL, so that readers and a writer do not block each other, and immediate transactions.

    A deferred transaction that starts to write fails if another process wrote since it began; an
    immediate one waits for its turn.
    """

    @event.listens_for(engine, "connect")
    def _on_connect(connection: sqlite3.Connection, _record: object) -> None:
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
            # A migration that works in small steps begins and commits each of them itself.
            return
        if options.get("writes", False):
            _begin_immediate(connection)
        else:
            connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: Connection) -> None:
    """Begin to write, or wait for another process's write. Raises OperationalError in the end.

    SQLite's own wait would stop every greenlet of the process.
    """
    driver = cast(sqlite3.Connection, connection.connection.dbapi_connection)
    until, pause = time.monotonic() + BUSY_TIMEOUT_MS / 1000, 0.001
    driver.execute("PRAGMA busy_timeout = 0")
    try:
        while time.monotonic() < until:
            try:
                driver.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    break
                _sleep(pause)
                pause = min(2 * pause, 0.05)
            else:
                return
        # Raises the error that SQLAlchemy makes of the driver's.
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")


def _sleep(seconds: float) -> None:
    """Sleep, and let other greenlets run where this is their thread."""
    if threading.get_native_id() == os.getpid():
        time.sleep(seconds)
    else:
        # A native thread of gevent's pool has no greenlets; the patched sleep would make it a loop.
        _native_sleep(seconds)
