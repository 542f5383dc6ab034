"""Notes and tags that people add to recordings. Needs an app context.

They are stored in the database only, so nothing that happens to the files can affect them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from sqlalchemy import Connection, Executable, delete, func, insert, select

from callytics.audit.access_log import add_entry
from callytics.audit.authors import Author, author_columns
from callytics.clock import utc_now
from callytics.database.reading import read, read_first, reading
from callytics.database.transactions import insert_missing, writing
from callytics.recordings import ledger
from callytics.recordings.models import Note, Tag

LONGEST_NOTE, LONGEST_TAG = 2000, 40
# More than anybody reads on one recording; a program that writes notes must not fill the page.
MOST_NOTES, MOST_TAGS = 500, 20
# Newest tags from which suggestions are taken.
_RECENT = 200
_MARK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):([0-5]\d)(?:\s+|$)", re.ASCII)


class NoteError(ValueError):
    """A note or tag that cannot be added; the message says why, and what to do."""


class AnnotationRow(Protocol):
    """Columns that notes and tags have in common."""

    id: int
    recording_uid: str
    username: str
    user_id: int | None
    created_at: datetime


class NoteRow(AnnotationRow, Protocol):
    """Row of a note; `at_ms` is its position in the audio."""

    at_ms: int | None
    text: str


class TagRow(AnnotationRow, Protocol):
    """Row of a tag."""

    tag: str


@dataclass(frozen=True)
class Annotations:
    """Notes of one recording in the order of their positions, and its tags."""

    notes: Sequence[NoteRow] = ()
    tags: Sequence[TagRow] = ()


def split_mark(text: str) -> tuple[int | None, str]:
    """Split a typed note, such as "02:13 refund promised", into its position in ms and its text."""
    at_ms, text, rest = None, text.strip(), 0
    # The page prefills the field with a mark; a second one, typed behind it, replaces it.
    while found := _MARK.match(text, rest):
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        at_ms, rest = ((hours * 60 + minutes) * 60 + seconds) * 1000, found.end()
    return at_ms, text[rest:]


def mark(at_ms: int) -> str:
    """Return a position as text: 02:13, or 1:02:13 from one hour on."""
    minutes, seconds = divmod(at_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    short = f"{minutes:02}:{seconds:02}"
    return f"{hours}:{short}" if hours else short


def annotations_by_uid(uids: Sequence[str]) -> dict[str, Annotations]:
    """Return the notes and tags of these recordings; those without any are left out."""
    notes: dict[str, list[NoteRow]] = {}
    tags: dict[str, list[TagRow]] = {}
    with reading() as connection:
        for row in connection.execute(_notes_of(uids)):
            notes.setdefault(row.recording_uid, []).append(cast(NoteRow, row))
        for row in connection.execute(_tags_of(uids)):
            tags.setdefault(row.recording_uid, []).append(cast(TagRow, row))
    annotated = notes.keys() | tags.keys()
    return {uid: Annotations(notes.get(uid, ()), tags.get(uid, ())) for uid in annotated}


def annotations_of(uid: str) -> Annotations:
    """Return the notes and tags of one recording."""
    return annotations_by_uid([uid]).get(uid, Annotations())


def _notes_of(uids: Sequence[str]) -> Executable:
    # Notes without a position are about the whole recording, and come first.
    order = (func.coalesce(Note.at_ms, -1), Note.id)
    return select(*Note.__table__.columns).where(Note.recording_uid.in_(uids)).order_by(*order)


def _tags_of(uids: Sequence[str]) -> Executable:
    return select(*Tag.__table__.columns).where(Tag.recording_uid.in_(uids)).order_by(Tag.id)


def note(note_id: int) -> NoteRow | None:
    """Return one note, or None."""
    query = select(*Note.__table__.columns).where(Note.id == note_id)
    return cast(NoteRow | None, read_first(query))


def tag(uid: str, name: str) -> TagRow | None:
    """Return one tag of a recording, or None."""
    wanted = (Tag.recording_uid == uid, Tag.tag == name)
    return cast(TagRow | None, read_first(select(*Tag.__table__.columns).where(*wanted)))


def recent_tags() -> list[str]:
    """Return tags that were used lately, as suggestions."""
    latest = select(Tag.tag).order_by(Tag.id.desc()).limit(_RECENT)
    return sorted({row.tag for row in read(latest)})


def add_note(uid: str, typed: str, author: Author) -> None:
    """Add a note to a recording. Raises NoteError."""
    at_ms, text = split_mark(_clean(typed, lines=True))
    if not text:
        raise NoteError("Write something first. A time in front, as in 02:13, makes a mark.")
    if len(text) > LONGEST_NOTE:
        raise NoteError(f"A note has at most {LONGEST_NOTE} characters. Write two.")
    with writing() as connection:
        _refuse_more(connection, Note, uid, MOST_NOTES)
        add_entry(connection, author, "note", uid)
        values = {"recording_uid": uid, "at_ms": at_ms, "text": text, "created_at": utc_now()}
        connection.execute(insert(Note).values(**values, **author_columns(author)))
        ledger.index_words(connection, uid)


def delete_note(found: NoteRow, author: Author) -> None:
    """Delete a note."""
    with writing() as connection:
        add_entry(connection, author, "delete note", found.recording_uid, f"by {found.username}")
        connection.execute(delete(Note).where(Note.id == found.id))
        ledger.index_words(connection, found.recording_uid)


def add_tag(uid: str, typed: str, author: Author) -> str:
    """Add a tag to a recording, unless it is there, and return its name. Raises NoteError."""
    name = tag_name(typed)
    if not 0 < len(name) <= LONGEST_TAG:
        raise NoteError(f"A tag has 1 to {LONGEST_TAG} characters.")
    with writing() as connection:
        _refuse_more(connection, Tag, uid, MOST_TAGS)
        add_entry(connection, author, "tag", uid, name)
        values = {"recording_uid": uid, "tag": name, "created_at": utc_now()}
        insert_missing(connection, Tag, {**values, **author_columns(author)})
        ledger.index_words(connection, uid)
    return name


def remove_tag(found: TagRow, author: Author) -> None:
    """Remove a tag."""
    with writing() as connection:
        add_entry(connection, author, "remove tag", found.recording_uid, found.tag)
        connection.execute(delete(Tag).where(Tag.id == found.id))
        ledger.index_words(connection, found.recording_uid)


def tag_name(typed: str) -> str:
    """Return a tag as it is stored: lower case, single spaces, no comma, which separates tags."""
    return " ".join(_clean(typed).replace(",", " ").lower().split())


def _clean(typed: str, lines: bool = False) -> str:
    kept = (c if c.isprintable() or (lines and c == "\n") else " " for c in typed)
    return "".join(kept)


def _refuse_more(
    connection: Connection, table: type[Note] | type[Tag], uid: str, most: int
) -> None:
    count = connection.scalar(select(func.count()).where(table.recording_uid == uid)) or 0
    if count >= most:
        raise NoteError(f"This recording has {most} of them already. Delete one first.")
