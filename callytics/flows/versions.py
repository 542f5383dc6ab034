"""Versions of the flow document: the published one, the history, saving. Needs an app context."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from sqlalchemy import Connection, insert, select

from callytics.audit.authors import Author, author_columns
from callytics.clock import utc_now
from callytics.database.reading import AnySelect, reading
from callytics.database.transactions import lock_tables, writing
from callytics.flows.diff import change_summary, changes
from callytics.flows.document import Document, check
from callytics.flows.models import FlowDocument
from callytics.json_values import JsonObject

PAGE_SIZE = 50
_FACTS = (FlowDocument.id, FlowDocument.saved_at, FlowDocument.saved_by, FlowDocument.said)


class Overtaken(Exception):
    """Another version was published meanwhile."""

    def __init__(self, version: int) -> None:
        super().__init__(f"version {version} was published meanwhile")
        self.version = version


def current() -> Document:
    """Return the published document; an empty one before the first import."""
    newest = select(FlowDocument.document).order_by(FlowDocument.id.desc()).limit(1)
    with reading() as connection:
        values = connection.execute(newest).scalar()
    return check(values or {})


def save(document: Document, saved_by: Author, seen: int | None = None, said: str = "") -> int:
    """Publish a checked document for the next call; see `add_version`."""
    with writing() as connection:
        return add_version(connection, document, saved_by, seen, said)


def add_version(
    connection: Connection,
    document: Document,
    saved_by: Author,
    seen: int | None = None,
    said: str = "",
) -> int:
    """Publish a checked document; return its version.

    `seen` is the version that it was made from, 0 before the first. Raises Overtaken and changes
    nothing if another was published since. `said` replaces the summary of the changes.
    """
    lock_tables(connection, FlowDocument)
    newest = select(FlowDocument.id, FlowDocument.document).order_by(FlowDocument.id.desc())
    version, before = connection.execute(newest.limit(1)).first() or (0, {})
    if seen is not None and seen != version:
        raise Overtaken(version)
    values, author = document.model_dump(), author_columns(saved_by)
    row = insert(FlowDocument).values(
        saved_at=utc_now(),
        saved_by=author["username"],
        user_id=author["user_id"],
        said=said or change_summary(before, values),
        document=values,
    )
    key = connection.execute(row).inserted_primary_key
    assert key is not None  # one row was inserted
    return int(key[0])


class VersionRow(Protocol):
    """Row of a version without its document."""

    @property
    def id(self) -> int: ...

    @property
    def saved_at(self) -> datetime: ...

    @property
    def saved_by(self) -> str: ...

    @property
    def said(self) -> str: ...


def versions(upto: int | None = None, after: int = 0, limit: int = PAGE_SIZE) -> list[VersionRow]:
    """Return up to `limit` rows of the history, newest first: `after` < id <= `upto`."""
    wanted = select(*_FACTS).where(FlowDocument.id > after)
    if upto is not None:
        wanted = wanted.where(FlowDocument.id <= upto)
    with reading() as connection:
        rows = connection.execute(wanted.order_by(FlowDocument.id.desc()).limit(limit)).all()
    return cast(list[VersionRow], rows)


@dataclass(frozen=True)
class Version:
    """Version with its document; before the first import, number 0 with an empty one."""

    id: int
    row: VersionRow | None
    document: JsonObject


def newest() -> Version:
    """Return the published version."""
    return _version(select(*_FACTS, FlowDocument.document).order_by(FlowDocument.id.desc()))


def version(number: int) -> Version | None:
    """Return a version, or None; 0 is the empty one before the first."""
    found = before(number + 1)
    return found if found.id == number else None


def before(number: int) -> Version:
    """Return the newest version with an id below `number`."""
    query = select(*_FACTS, FlowDocument.document).where(FlowDocument.id < number)
    return _version(query.order_by(FlowDocument.id.desc()))


def take_back(to: Version, saved_by: Author, seen: int) -> int:
    """Publish an older version again, as a new one.

    Raises Overtaken if a version other than `seen` is published, and DocumentError if the old
    document is no longer valid.
    """
    document = check(to.document)
    differences = changes(newest().document, document.model_dump())
    said = "\n".join([f"Version {to.id} is published again.", *differences])
    return save(document, saved_by, seen, said)


def _version(query: AnySelect) -> Version:
    with reading() as connection:
        row = connection.execute(query.limit(1)).first()
    return Version(row.id, cast(VersionRow, row), row.document) if row else Version(0, None, {})
