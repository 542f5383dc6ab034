"""What people add to recordings: notes, perhaps with a mark in time, and tags.

Needs an app context. They are kept in the database alone: nothing that is done to the files can
touch them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select

from callytics.audit.access_log import add_entry
from callytics.clock import utc_now
from callytics.database.reading import reading
from callytics.database.transactions import insert_missing, writing
from callytics.recordings import ledger
from callytics.recordings.models import Note, Tag

LONGEST_NOTE, LONGEST_TAG = 2000, 40
# Nobody reads more on one recording; a program that writes them must not fill the page.
MOST_NOTES, MOST_TAGS = 500, 20
# So many of the latest are looked at to propose what others wrote.
_RECENT = 200
_MARK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):([0-5]\d)(?:\s+|$)", re.ASCII)


class NoteError(ValueError):
    """What cannot be added; the message says why, and what to do."""


@dataclass(frozen=True)
class Added:
    """All that was added to one recording, notes in the order of their marks."""

    notes: Sequence[Row[Any]] = ()
    tags: Sequence[Row[Any]] = ()


def split_mark(text: str) -> tuple[int | None, str]:
    """A note as it is typed, "02:13 refund promised", as its mark in ms and its words."""
    at_ms, text = None, text.strip()
    # The page begins the field with a mark; who types another one means that.
    while found := _MARK.match(text):
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        at_ms, text = ((hours * 60 + minutes) * 60 + seconds) * 1000, text[found.end() :].strip()
    return at_ms, text


def mark(at_ms: int) -> str:
    """A mark as people write it: 02:13, or 1:02:13 from an hour on."""
    minutes, seconds = divmod(at_ms // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    short = f"{minutes:02}:{seconds:02}"
    return f"{hours}:{short}" if hours else short


def added_to(uids: Sequence[str]) -> dict[str, Added]:
    """What was added to each of these recordings; those without are left out."""
    found: dict[str, tuple[list[Row[Any]], list[Row[Any]]]] = {}
    with reading() as connection:
        for part, query in enumerate((_notes_of(uids), _tags_of(uids))):
            for row in connection.execute(query):
                found.setdefault(row.recording_uid, ([], []))[part].append(row)
    return {uid: Added(*parts) for uid, parts in found.items()}


def of(uid: str) -> Added:
    """What was added to one recording."""
    return added_to([uid]).get(uid, Added())


def _notes_of(uids: Sequence[str]) -> Select[Any]:
    # Those without a mark speak of the whole, and stand first.
    order = (func.coalesce(Note.at_ms, -1), Note.id)
    return select(*Note.__table__.columns).where(Note.recording_uid.in_(uids)).order_by(*order)


def _tags_of(uids: Sequence[str]) -> Select[Any]:
    return select(*Tag.__table__.columns).where(Tag.recording_uid.in_(uids)).order_by(Tag.id)


def note(note_id: int) -> Row[Any] | None:
    """One note, or None."""
    with reading() as connection:
        return connection.execute(select(*Note.__table__.columns).where(Note.id == note_id)).first()


def tag(uid: str, name: str) -> Row[Any] | None:
    """One tag of a recording, or None."""
    wanted = (Tag.recording_uid == uid, Tag.tag == name)
    with reading() as connection:
        return connection.execute(select(*Tag.__table__.columns).where(*wanted)).first()


def recent_tags() -> list[str]:
    """Tags that were used lately, to be proposed."""
    latest = select(Tag.tag).order_by(Tag.id.desc()).limit(_RECENT)
    with reading() as connection:
        return sorted(set(connection.scalars(latest)))


def add_note(uid: str, typed: str, username: str) -> None:
    """Keep a note on a recording. Raises NoteError."""
    at_ms, text = split_mark(_clean(typed, lines=True))
    if not text:
        raise NoteError("Write something first. A time in front, as in 02:13, makes a mark.")
    if len(text) > LONGEST_NOTE:
        raise NoteError(f"A note has at most {LONGEST_NOTE} characters. Write two.")
    with writing() as connection:
        _refuse_more(connection, Note, uid, MOST_NOTES)
        add_entry(connection, username, "note", uid)
        values = {"recording_uid": uid, "at_ms": at_ms, "text": text, "username": username}
        connection.execute(insert(Note).values(**values, created_at=utc_now()))
        ledger.index_words(connection, uid)


def delete_note(found: Row[Any], username: str) -> None:
    """Remove a note."""
    with writing() as connection:
        add_entry(connection, username, "delete note", found.recording_uid, f"by {found.username}")
        connection.execute(delete(Note).where(Note.id == found.id))
        ledger.index_words(connection, found.recording_uid)


def add_tag(uid: str, typed: str, username: str) -> str:
    """Put a tag on a recording; one that is there already stays as it is. Raises NoteError."""
    name = tag_name(typed)
    if not 0 < len(name) <= LONGEST_TAG:
        raise NoteError(f"A tag has 1 to {LONGEST_TAG} characters.")
    with writing() as connection:
        _refuse_more(connection, Tag, uid, MOST_TAGS)
        add_entry(connection, username, "tag", uid, name)
        values = {"recording_uid": uid, "tag": name, "username": username, "created_at": utc_now()}
        insert_missing(connection, Tag, values)
        ledger.index_words(connection, uid)
    return name


def remove_tag(found: Row[Any], username: str) -> None:
    """Take a tag off."""
    with writing() as connection:
        add_entry(connection, username, "remove tag", found.recording_uid, found.tag)
        connection.execute(delete(Tag).where(Tag.id == found.id))
        ledger.index_words(connection, found.recording_uid)


def tag_name(typed: str) -> str:
    """A tag as it is kept: small letters, single spaces, no comma, so that lists can be read."""
    return " ".join(_clean(typed).replace(",", " ").lower().split())


def _clean(typed: str, lines: bool = False) -> str:
    kept = (c if c.isprintable() or (lines and c == "\n") else " " for c in typed)
    return "".join(kept)


def _refuse_more(
    connection: Connection, table: type[Note] | type[Tag], uid: str, most: int
) -> None:
    if connection.scalar(select(func.count()).where(table.recording_uid == uid)) >= most:
        raise NoteError(f"This recording has {most} of them already. Delete one first.")
