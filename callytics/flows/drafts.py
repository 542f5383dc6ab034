"""Drafts of the flow document: one for each administrator, not yet published."""

import copy
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from callytics.audit.authors import Author
from callytics.clock import utc_now
from callytics.database.reading import reading
from callytics.database.transactions import lock_tables, upsert, writing
from callytics.flows.document import Document, check
from callytics.flows.merge import merged
from callytics.flows.models import FlowDocument, FlowDraft
from callytics.flows.versions import Overtaken, add_version
from callytics.json_values import JsonObject


class NoDraftError(Exception):
    """The administrator has no draft: it was discarded or published, perhaps in another tab."""


@dataclass(frozen=True)
class EditableDocument:
    """Editable document: an administrator's draft, or else the published version."""

    values: JsonObject
    # The version that it was made from, 0 before the first.
    base_id: int
    changed_at: datetime | None = None

    @property
    def is_draft(self) -> bool:
        """True if there are changes that are not yet published."""
        return self.changed_at is not None


def work_of(user_id: int) -> EditableDocument:
    """Return the document that this administrator edits."""
    with reading() as connection:
        return _work_of(connection, user_id)


def edit(user_id: int, change: Callable[[JsonObject], None]) -> None:
    """Change the draft in place by `change`; begin one if there is none."""
    with writing() as connection:
        lock_tables(connection, FlowDraft)
        work = _work_of(connection, user_id)
        values = copy.deepcopy(work.values)
        change(values)
        _keep(connection, user_id, values, work.base_id)


def replace(user_id: int, document: Document, seen: int) -> None:
    """Make a checked document the draft, as a change of version `seen`. Raises Overtaken."""
    with writing() as connection:
        _check_seen(connection, seen)
        _keep(connection, user_id, document.model_dump(), seen)


def discard(user_id: int) -> None:
    """Delete the draft."""
    with writing() as connection:
        _forget(connection, user_id)


def publish(user_id: int, saved_by: Author, seen: int) -> int:
    """Publish the draft for the next call; return its version.

    `seen` is the version that it may replace. Raises DocumentError, Overtaken and NoDraftError;
    nothing is changed then.
    """
    with writing() as connection:
        lock_tables(connection, FlowDraft, FlowDocument)
        work = _draft(connection, user_id)
        version = add_version(connection, check(work.values), saved_by, seen)
        _forget(connection, user_id)
        return version


def keep_both(user_id: int, seen: int, mine: Collection[tuple[str, str]]) -> None:
    """Merge the versions that were published since the draft was begun into the draft.

    `seen` is the newest version that the administrator saw. `mine` are the flows and queues that
    both sides changed and that keep the draft's content. Raises NoDraftError and Overtaken.
    """
    with writing() as connection:
        lock_tables(connection, FlowDraft)
        work = _draft(connection, user_id)
        _check_seen(connection, seen)
        base, theirs = (_document(connection, number) for number in (work.base_id, seen))
        values = merged(base, work.values, theirs, mine)
        _keep(connection, user_id, values, seen)


def _work_of(connection: Connection, user_id: int) -> EditableDocument:
    wanted = select(FlowDraft.document, FlowDraft.base_id, FlowDraft.changed_at)
    row = connection.execute(wanted.where(FlowDraft.user_id == user_id)).first()
    if row:
        return EditableDocument(row.document, row.base_id, row.changed_at)
    newest = select(FlowDocument.document, FlowDocument.id).order_by(FlowDocument.id.desc())
    found = connection.execute(newest.limit(1)).first()
    return (
        EditableDocument(found.document, found.id)
        if found
        else EditableDocument({"queues": {}, "flows": {}}, 0)
    )


def _draft(connection: Connection, user_id: int) -> EditableDocument:
    work = _work_of(connection, user_id)
    if not work.is_draft:
        raise NoDraftError
    return work


def _document(connection: Connection, number: int) -> JsonObject:
    wanted = select(FlowDocument.document).where(FlowDocument.id == number)
    return connection.execute(wanted).scalar() or {}


def _check_seen(connection: Connection, seen: int) -> None:
    """Raise Overtaken if there is no version `seen`."""
    wanted = select(FlowDocument.id).where(FlowDocument.id == seen)
    if seen and connection.execute(wanted).scalar() is None:
        raise Overtaken(seen)


def _keep(connection: Connection, user_id: int, values: JsonObject, base_id: int) -> None:
    # A document equal to its base is no draft.
    if values == _document(connection, base_id):
        return _forget(connection, user_id)
    row = {"user_id": user_id, "document": values, "base_id": base_id, "changed_at": utc_now()}
    upsert(connection, FlowDraft, "user_id", row)
    return None


def _forget(connection: Connection, user_id: int) -> None:
    connection.execute(delete(FlowDraft).where(FlowDraft.user_id == user_id))
