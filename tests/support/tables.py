"""Tables, read directly."""

from typing import Any

from sqlalchemy import select

from callytics.database.engine import Base
from callytics.database.reading import read


def all_rows(table: type[Base]) -> list[Any]:
    """Return all rows of a table. Needs an app context."""
    return list(read(select(*table.__table__.columns)))
