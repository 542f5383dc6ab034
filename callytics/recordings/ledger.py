"""The only code that changes calls and recordings. Every function may be repeated safely."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    select,
    text,
    union_all,
    update,
)

from callytics.database.transactions import insert_missing, writing
from callytics.recordings.facts import Facts
from callytics.recordings.models import Note, Recording, Tag
from callytics.recordings.search_text import searchable, searchable_words
from callytics.recordings.sort_key import PER_SECOND, place_of

# The number names the lock among those of the database; it means nothing.
_TAKE_TURNS = text("SELECT pg_advisory_xact_lock(7236)")
_NEXT = text(
    "SELECT coalesce(max(id) + 1, :first) FROM recordings"
    f" WHERE id >= :first AND id < :first + {PER_SECOND}"
)
# What the facts say of a recording whose row is there. All three are built once, as in `db`.
_SAID = [field.name for field in fields(Facts) if field.name != "uid"] + ["path"]
_CHANGE = (
    update(Recording)
    .where(Recording.uid == bindparam("changed"))
    .values({name: bindparam(name) for name in _SAID})
    .returning(Recording.search_text)
)
_WORDS = union_all(
    select(Tag.tag).where(Tag.recording_uid == bindparam("uid")),
    select(Note.text).where(Note.recording_uid == bindparam("uid")),
)
_KEEP_PEAKS = (
    update(Recording).where(Recording.uid == bindparam("changed")).values(peaks=bindparam("peaks"))
)


@dataclass(frozen=True)
class Change:
    """What a row is to become; it is left as it is when it is no longer in the state `was`."""

    uid: str
    # None where there was no row.
    was: str | None
    # None where there is to be no row.
    facts: Facts | None


def save_recording(facts: Facts) -> None:
    """Write the row of a recording as its facts say, whether it was there or not."""
    values = recording_values(facts)
    with writing() as connection:
        if not _change_recording(connection, values):
            _add_recording(connection, values)


def _change_recording(connection: Connection, values: Mapping[str, Any]) -> bool:
    """Bring a row to `values`; False when there is none.

    The text to search in is left as it is while the facts in it are the same: it is the most
    expensive of all to write, and may hold what people wrote on the recording.
    """
    said = {name: values[name] for name in _SAID}
    kept = connection.scalar(_CHANGE, {**said, "changed": values["uid"]})
    if kept is not None and kept != values["search_text"]:
        _index(connection, values, _words(connection, values["uid"]))
    return kept is not None


def _add_recording(connection: Connection, values: Mapping[str, Any]) -> None:
    _take_turn(connection)
    place = next_place(connection, values["started_at"])
    if not insert_missing(connection, Recording, {**values, "id": place}, "uid"):
        # Somebody else has added it meanwhile.
        _change_recording(connection, values)


@contextmanager
def adding_recordings() -> Iterator[Connection]:
    """A transaction that may add recordings; only one at a time, since each takes a place."""
    with writing() as connection:
        _take_turn(connection)
        yield connection


def _take_turn(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(_TAKE_TURNS)


def next_place(connection: Connection, started_at: datetime) -> int:
    """The id of a new recording: after all that began in the same second, before all later ones.

    More than PER_SECOND in one second, which only files from elsewhere can be, go on into the
    next one.
    """
    first = place_of(started_at)
    while (place := connection.scalar(_NEXT, {"first": first})) == first + PER_SECOND:
        first += PER_SECOND
    return int(place)


def recording_values(facts: Facts) -> dict[str, Any]:
    """Column names and values of a recording, all but its place."""
    row = facts.to_row()
    return {**row, "search_text": searchable(row)}


def index_words(connection: Connection, uid: str) -> None:
    """Let a recording be found by what is written on it now. Call this after a change to that."""
    names = ("uid", "caller_number", "caller_name", "dialed_number", "callee")
    columns = [getattr(Recording, name) for name in names]
    row = connection.execute(select(*columns).where(Recording.uid == uid)).mappings().first()
    if row:
        _index(connection, row, _words(connection, uid))


def _keep_words(connection: Connection, row: Mapping[str, Any]) -> None:
    """What people wrote on a recording is found also after its facts were written anew."""
    if words := _words(connection, row["uid"]):
        _index(connection, row, words)


def _words(connection: Connection, uid: str) -> list[str]:
    return list(connection.scalars(_WORDS, {"uid": uid}))


def _index(connection: Connection, row: Mapping[str, Any], words: Sequence[str]) -> None:
    text = searchable(row) + searchable_words(words)
    changed = update(Recording).where(Recording.uid == row["uid"]).values(search_text=text)
    connection.execute(changed)


def mark_recording(uid: str, state: str, reason: str) -> None:
    """Say that a recording is now in `state`, and why."""
    with writing() as connection:
        connection.execute(
            update(Recording).where(Recording.uid == uid).values(state=state, state_reason=reason)
        )


def save_peaks(uid: str, peaks: bytes) -> None:
    """Keep the shape of a recording, as `peaks.Shape` writes it."""
    with writing() as connection:
        connection.execute(_KEEP_PEAKS, {"changed": uid, "peaks": peaks})


def change_recordings(changes: Sequence[Change]) -> None:
    """Change rows that were looked at some time ago, all in one transaction.

    Somebody else may have changed one since, and knows better; that one is left alone.
    """
    new = [c.facts for c in changes if c.was is None and c.facts is not None]
    with adding_recordings() as connection:
        for facts in new:
            values = {**recording_values(facts), "id": next_place(connection, facts.started_at)}
            insert_missing(connection, Recording, values, "uid")
        for change in changes:
            same = (Recording.uid == change.uid, Recording.state == change.was)
            if change.was is not None and change.facts is not None:
                values = recording_values(change.facts)
                connection.execute(update(Recording).where(*same).values(**values))
                _keep_words(connection, values)
            elif change.was is not None:
                _forget(connection, change.uid, Recording.state == change.was)


def forget_recording(uid: str) -> bool:
    """Remove the row, with what people wrote on it; True when there was one.

    The file must be gone by now.
    """
    with writing() as connection:
        return _forget(connection, uid)


def _forget(connection: Connection, uid: str, *still: ColumnElement[bool]) -> bool:
    gone = connection.execute(delete(Recording).where(Recording.uid == uid, *still)).rowcount > 0
    for table in (Note, Tag) if gone else ():
        connection.execute(delete(table).where(table.recording_uid == uid))
    return gone
