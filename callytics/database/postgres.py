"""Connections to PostgreSQL over a network that may be cut without a word.

TCP alone waits for minutes for an answer to what was sent, and for hours where nothing was.
"""

import time
from typing import TYPE_CHECKING

from sqlalchemy import Engine, event, make_url
from sqlalchemy.exc import ArgumentError, InvalidatePoolError

from callytics.config import DATABASE_URL_FORM, ConfigError

if TYPE_CHECKING:
    import psycopg
    from sqlalchemy.pool import ConnectionPoolEntry

# Options of libpq: a server that is not heard of for some 10 seconds is gone, whether this process
# has sent something (tcp_user_timeout), waits for an answer (keepalives) or connects.
NETWORK_OPTIONS = {
    "connect_timeout": 5,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
# The longest that a request waits for a connection while all are in use.
POOL_SECONDS = 10
# A connection that was used less than this ago is handed out untested: the test is a way to the
# server and back, as long as a query.
FRESH_SECONDS = 5.0


def engine_options(url: str) -> dict[str, object]:
    """Return the options of the engine for a PostgreSQL URL; those in the URL win.

    Raises ConfigError for a URL that cannot be parsed.
    """
    try:
        given = make_url(url).query
    except (ArgumentError, ValueError) as error:
        raise ConfigError(DATABASE_URL_FORM) from error
    options = {name: value for name, value in NETWORK_OPTIONS.items() if name not in given}
    return {"connect_args": options, "pool_timeout": POOL_SECONDS}


def configure_postgres(engine: Engine) -> None:
    """Cancel queries whose client is gone, and test connections before they are used again."""
    _cancel_abandoned_queries(engine)
    _test_idle_connections(engine)


def _cancel_abandoned_queries(engine: Engine) -> None:
    """Cancel queries whose client is gone.

    PostgreSQL otherwise runs them to the end, and they keep their locks.
    """

    @event.listens_for(engine, "connect")
    def _on_connect(connection: "psycopg.Connection[tuple[str]]", _record: object) -> None:
        try:
            connection.execute("SET client_connection_check_interval = '1s'")
            connection.commit()
        except connection.Error:
            # Not supported before version 14, nor on every operating system.
            connection.rollback()


def _test_idle_connections(engine: Engine) -> None:
    """Replace a connection that was lost while nobody used it, and all that are as old."""

    @event.listens_for(engine, "checkin")
    def _on_checkin(_connection: object, record: "ConnectionPoolEntry") -> None:
        record.info["idle_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _on_checkout(
        connection: "psycopg.Connection[tuple[int]]", record: "ConnectionPoolEntry", _proxy: object
    ) -> None:
        idle_since = record.info.get("idle_since")
        if idle_since is None or time.monotonic() - idle_since < FRESH_SECONDS:
            return
        try:
            connection.execute("SELECT 1")
            connection.rollback()
        except connection.Error as error:
            raise InvalidatePoolError from error
