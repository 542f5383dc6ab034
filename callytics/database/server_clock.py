"""Clock of the database: one time for processes on several hosts, whose own clocks may differ."""

from datetime import datetime
from typing import cast

from sqlalchemy import Connection, func, select

from callytics.clock import utc_now


def database_now(connection: Connection) -> datetime:
    """Return the time of the database; SQLite has only that of its host."""
    if connection.dialect.name == "sqlite":
        return utc_now()
    return cast(datetime, connection.scalar(select(func.clock_timestamp())))
