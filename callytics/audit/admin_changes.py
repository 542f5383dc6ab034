"""Who changed what, kept in the same transaction as the change. Needs an app context."""

from typing import Any

from sqlalchemy import Connection, insert, select

from callytics.audit.models import Change
from callytics.clock import utc_now
from callytics.database.reading import reading


def note_change(
    connection: Connection, changed_by: str, thing: str, before: str, after: str
) -> None:
    """Keep a change. Never hand over a password, nor anything made of one."""
    values = {"thing": thing, "before": before, "after": after}
    connection.execute(insert(Change).values(at=utc_now(), username=changed_by, **values))


def changes_of(kind: str, most: int) -> list[Any]:
    """The newest changes of a kind of thing (setting, person, queue), newest first."""
    query = select(Change.__table__).where(Change.thing.startswith(f"{kind} "))
    with reading() as connection:
        return list(connection.execute(query.order_by(Change.id.desc()).limit(most)))


def newest_change(connection: Connection, thing: str) -> Any | None:
    """The last change of one thing."""
    query = select(Change.__table__).where(Change.thing == thing)
    return connection.execute(query.order_by(Change.id.desc()).limit(1)).first()
