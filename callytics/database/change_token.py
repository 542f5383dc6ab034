"""Change token: tells one committed state of the database from another.

Two equal tokens mean that nothing was committed between them. It is read before each answer that
may come from a memo, so it has to be cheap.
"""

import sqlite3
from collections.abc import Callable, Hashable
from typing import TYPE_CHECKING, cast

import gevent
from flask import Flask
from gevent.event import AsyncResult
from sqlalchemy import make_url

from callytics.database.engine import db

if TYPE_CHECKING:
    import psycopg

Token = Hashable


def token_reader(app: Flask) -> Callable[[], Token | None]:
    """Return a function that reads the token of the database of `app`.

    It returns None while the database does not answer; nothing may be kept then.
    """
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    if url.get_backend_name() == "sqlite":
        token = SqliteToken(url.database or "")
        app.extensions["to_close"].append(token.close)
        return token
    return PostgresqlToken(app)


class SqliteToken:
    """Counter of the commits of other connections, `PRAGMA data_version`; reading takes 5 µs.

    The counter belongs to a connection and begins anew with each, so the number of the connection
    is part of the token.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._connections = 0

    def __call__(self) -> Token | None:
        """Read the token."""
        try:
            if self._connection is None:
                # Only one thread, that of all greenlets, comes here.
                self._connection = sqlite3.connect(
                    f"file:{self._path}?mode=rw", uri=True, check_same_thread=False
                )
                self._connections += 1
            row = self._connection.execute("PRAGMA data_version").fetchone()
            return self._connections, row[0]
        except sqlite3.Error:
            self.close()
            return None

    def close(self) -> None:
        """Close the connection; the next read opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class PostgresqlToken:
    """Current snapshot: which transactions a query sees. It changes when a commit becomes visible.

    The position of the write-ahead log would not do: it moves before the commit can be seen
    (with `commit_delay` or a synchronous standby long before), and a page that is made in between
    would pass for the new state until the next write. Transactions of other databases of the
    server change the snapshot too, which only ends a memo early.

    A read takes some 150 µs, so one serves all requests that were waiting when it was sent; those
    that come meanwhile wait for the next.
    """

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._is_reading = False
        self._next: AsyncResult[Token | None] | None = None

    def __call__(self) -> Token | None:
        """Read the token, or wait for a read that begins after this call."""
        if self._next is None:
            self._next = AsyncResult()
        mine = self._next
        self._read_next()
        token: Token | None = mine.get()
        return token

    def _read_next(self) -> None:
        if self._is_reading or self._next is None:
            return
        reading, self._next = self._next, None
        self._is_reading, token = True, None
        try:
            token = self._read()
        finally:
            self._is_reading = False
            reading.set(token)
            self._read_for_those_who_came_meanwhile()

    def _read_for_those_who_came_meanwhile(self) -> None:
        # Not by the request that has its token already.
        if self._next is not None:
            gevent.spawn(self._read_next)

    def _read(self) -> Token | None:
        try:
            with self._app.app_context():
                connection = db.engine.raw_connection()
            driver = cast("psycopg.Connection[tuple[str]]", connection.driver_connection)
            # Without a transaction, which would be two more ways to the server and back.
            driver.autocommit = True
            try:
                row = driver.execute("SELECT pg_current_snapshot()").fetchone()
                return row and row[0]
            finally:
                driver.autocommit = False
                connection.close()
        except Exception:  # the page itself says what is wrong with the database
            return None
