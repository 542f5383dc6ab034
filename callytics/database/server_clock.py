"""Clock of the database: one time for processes on several hosts, whose own clocks may differ."""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, Connection, DateTime, Interval, func, literal, select

from callytics.clock import utc_now
from callytics.database.columns import UtcDateTime


def database_now(connection: Connection) -> datetime:
    """Return the time of the database; SQLite has only that of its host."""
    if connection.dialect.name == "sqlite":
        return utc_now()
    return cast(datetime, connection.scalar(select(func.clock_timestamp())))


def moment_before(connection: Connection, span: timedelta) -> ColumnElement[datetime]:
    """Return the time of the database less `span`, as a part of a statement."""
    if connection.dialect.name == "sqlite":
        return literal(utc_now() - span, UtcDateTime)
    return func.clock_timestamp(type_=DateTime(timezone=True)) - literal(span, Interval)
