"""Every version of the flow document: who put it in force, when, and what changed in it."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from callytics.database.reading import reading
from callytics.flows.diff import changes
from callytics.flows.document import check, save
from callytics.flows.models import FlowDocument

PAGE_SIZE = 50
_FACTS = (FlowDocument.id, FlowDocument.saved_at, FlowDocument.saved_by, FlowDocument.said)


def versions(upto: int | None = None, after: int = 0, limit: int = PAGE_SIZE) -> list[Any]:
    """Rows of id, saved_at, saved_by and said, newest first, from `upto` down to above `after`."""
    wanted = select(*_FACTS).where(FlowDocument.id > after)
    if upto is not None:
        wanted = wanted.where(FlowDocument.id <= upto)
    with reading() as connection:
        return list(connection.execute(wanted.order_by(FlowDocument.id.desc()).limit(limit)))


@dataclass(frozen=True)
class Version:
    """One version with its document; before the first import, number 0 with an empty one."""

    id: int
    row: Any | None
    document: dict[str, Any]


def newest() -> Version:
    """The version in force."""
    return _version(select(*_FACTS, FlowDocument.document).order_by(FlowDocument.id.desc()))


def version(number: int) -> Version | None:
    """A version, or None; 0 is the empty one before the first."""
    found = before(number + 1)
    return found if found.id == number else None


def before(number: int) -> Version:
    """The version that was in force before this one was."""
    query = select(*_FACTS, FlowDocument.document).where(FlowDocument.id < number)
    return _version(query.order_by(FlowDocument.id.desc()))


def take_back(to: Version, username: str, seen: int) -> int:
    """Put an older version in force again, as a new one.

    Raises Overtaken where another than `seen` is in force, DocumentError where the old one is not
    usable any more.
    """
    document = check(to.document)
    differences = changes(newest().document, document.model_dump())
    said = "\n".join([f"Version {to.id} is in force again.", *differences])
    return save(document, username, seen, said)


def _version(query: Any) -> Version:
    with reading() as connection:
        row = connection.execute(query.limit(1)).first()
    return Version(row.id, row, row.document) if row else Version(0, None, {})
