"""What tells one state of the database from another, asked before each answer that may be kept."""

import sqlite3
from collections.abc import Callable
from typing import Any

import gevent
from flask import Flask
from gevent.event import AsyncResult
from sqlalchemy import make_url

from callytics.database.engine import db


def version_of(app: Flask) -> Callable[[], Any]:
    """Tells one state of the database of `app` from another; None where that is not known."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    if url.get_backend_name() == "sqlite":
        version = SqliteVersion(url.database or "")
        app.extensions["to_close"].append(version.close)
        return version
    return PostgresqlVersion(app)


class SqliteVersion:
    """SQLite's own counter of what other connections have written; asking it takes 5 µs."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def __call__(self) -> Any:
        try:
            if self._connection is None:
                # Only one thread, that of all greenlets, comes here.
                self._connection = sqlite3.connect(
                    f"file:{self._path}?mode=rw", uri=True, check_same_thread=False
                )
            return self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            self.close()
            return None

    def close(self) -> None:
        """Close its connection; the next question opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresqlVersion:
    """How much was ever written. Some of it is PostgreSQL's own business, and does no harm.

    To ask takes some 150 µs, more than all else of an answer that is kept. So one question serves
    all requests that were there when it was asked; who comes meanwhile waits for the next.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._is_asked = False
        self._next: AsyncResult | None = None

    def __call__(self) -> Any:
        if self._next is None:
            self._next = AsyncResult()
        mine = self._next
        self._ask()
        return mine.get()

    def _ask(self) -> None:
        if self._is_asked or self._next is None:
            return
        asked, self._next = self._next, None
        self._is_asked, said = True, None
        try:
            said = self._read()
        finally:
            self._is_asked = False
            asked.set(said)
            if self._next:
                # Not by the request that asked, which has its answer.
                gevent.spawn(self._ask)

    def _read(self) -> Any:
        try:
            with self._app.app_context():
                connection = db.engine.raw_connection()
            # Without a transaction, which would be two more ways to the server and back.
            connection.driver_connection.autocommit = True
            try:
                said = connection.driver_connection.execute("SELECT pg_current_wal_insert_lsn()")
                return said.fetchone()[0]
            finally:
                connection.driver_connection.autocommit = False
                connection.close()
        except Exception:  # the page itself says what is wrong with the database
            return None
