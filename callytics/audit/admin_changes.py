"""Log of administrative changes, written in the transaction of the change.

Needs an app context.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol, cast

from sqlalchemy import Connection, insert, select

from callytics.audit.authors import Author, author_columns
from callytics.audit.models import Change
from callytics.clock import utc_now
from callytics.database.reading import read


class ChangeRow(Protocol):
    """Row of a change."""

    id: int
    at: datetime
    username: str
    thing: str
    before: str
    after: str


def log_change(
    connection: Connection, changed_by: Author, thing: str, before: str, after: str
) -> None:
    """Add a change of `thing`, such as "setting retention_days". Never pass a password or hash."""
    values = {"thing": thing, "before": before, "after": after}
    connection.execute(insert(Change).values(at=utc_now(), **author_columns(changed_by), **values))


def changes_of(kind: str, most: int) -> Sequence[ChangeRow]:
    """Return the newest changes of a kind of thing (setting, person, queue), newest first."""
    query = select(Change.__table__).where(Change.thing.startswith(f"{kind} "))
    rows = read(query.order_by(Change.id.desc()).limit(most))
    return cast(Sequence[ChangeRow], rows)


def newest_change(connection: Connection, thing: str) -> ChangeRow | None:
    """Return the last change of one thing, or None."""
    query = select(Change.__table__).where(Change.thing == thing)
    row = connection.execute(query.order_by(Change.id.desc()).limit(1)).first()
    return cast(ChangeRow | None, row)
