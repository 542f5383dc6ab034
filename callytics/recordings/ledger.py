"""Writes of recordings, the only code that changes them. Needs an app context; safe to repeat."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime

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

from callytics.audit.authors import RECONCILE
from callytics.clock import utc_now
from callytics.database.transactions import insert_all_missing, insert_missing, writing
from callytics.recordings.facts import KEEP_TAG, OPEN_STATES, Facts
from callytics.recordings.models import Note, Recording, Tag
from callytics.recordings.search_text import searchable, searchable_words
from callytics.recordings.sort_key import IDS_PER_SECOND, first_id_of_second

# Key of the advisory lock; the number has no meaning.
_LOCK_IDS = text("SELECT pg_advisory_xact_lock(7236)")
_NEXT_ID = text(
    "SELECT coalesce(max(id) + 1, :first) FROM recordings"
    f" WHERE id >= :first AND id < :first + {IDS_PER_SECOND}"
)
_TAKEN_IDS = text(
    f"SELECT id / {IDS_PER_SECOND}, max(id) FROM recordings"
    f" WHERE id >= :lowest AND id < :end GROUP BY id / {IDS_PER_SECOND}"
)
# Ids of two days: all of them are read.
_LARGEST_SPAN = 2 * 86400 * IDS_PER_SECOND
# Columns that are set from the facts. The statements are built once: building one takes longer
# than running it, and a call waits for that.
_FACTS = [field.name for field in fields(Facts) if field.name not in ("uid", "keep")] + ["path"]
_UPDATE = (
    update(Recording)
    .where(Recording.uid == bindparam("changed"))
    .values({name: bindparam(name) for name in _FACTS})
    .returning(Recording.search_text)
)
_WORDS = union_all(
    select(Tag.tag).where(Tag.recording_uid == bindparam("uid")),
    select(Note.text).where(Note.recording_uid == bindparam("uid")),
)
_SAVE_WAVEFORM = (
    update(Recording).where(Recording.uid == bindparam("changed")).values(peaks=bindparam("peaks"))
)


@dataclass(frozen=True)
class RowChange:
    """A change of one row, made only if the row is still in the state `was`."""

    uid: str
    # None to insert a row.
    was: str | None
    # None to delete the row.
    facts: Facts | None


def save_recording(facts: Facts) -> None:
    """Insert or update the row of a recording from its facts."""
    values = recording_values(facts)
    with writing() as connection:
        if not _update(connection, values):
            _insert(connection, facts.started_at, values)


def _update(connection: Connection, values: Mapping[str, object]) -> bool:
    """Set a row to `values`; return False if there is none.

    The search text is written only if its facts have changed: its index makes it the most expensive
    column, and it also contains the notes and tags.
    """
    facts = {name: values[name] for name in _FACTS}
    search_text = connection.scalar(_UPDATE, {**facts, "changed": values["uid"]})
    if search_text is not None and search_text != values["search_text"]:
        _write_search_text(connection, values, _words(connection, str(values["uid"])))
    return search_text is not None


def _insert(connection: Connection, started_at: datetime, values: Mapping[str, object]) -> None:
    _lock_ids(connection)
    new_id = next_id(connection, started_at)
    if not insert_missing(connection, Recording, {**values, "id": new_id}, "uid"):
        # Another process inserted it between our update and the lock.
        _update(connection, values)


@contextmanager
def adding_recordings() -> Iterator[Connection]:
    """Open a transaction that may insert recordings; only one runs at a time."""
    with writing() as connection:
        _lock_ids(connection)
        yield connection


def _lock_ids(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(_LOCK_IDS)


def next_id(connection: Connection, started_at: datetime) -> int:
    """Return the next free id of the second of `started_at`. Needs `adding_recordings`.

    More than IDS_PER_SECOND recordings in one second, which only imported files can be, take ids
    of the seconds after it.
    """
    first = first_id_of_second(started_at)
    while (found := connection.scalar(_NEXT_ID, {"first": first})) == first + IDS_PER_SECOND:
        first += IDS_PER_SECOND
    return int(found)


def _insert_all(connection: Connection, new: Sequence[Facts]) -> None:
    """Insert the rows that are missing. Needs `adding_recordings`."""
    ids = _free_ids(connection, [facts.started_at for facts in new])
    if ids is not None:
        rows = [{**recording_values(facts), "id": i} for facts, i in zip(new, ids, strict=True)]
        insert_all_missing(connection, Recording, rows, "uid")
        return
    for facts in new:
        values = {**recording_values(facts), "id": next_id(connection, facts.started_at)}
        insert_missing(connection, Recording, values, "uid")


def _free_ids(connection: Connection, starts: Sequence[datetime]) -> list[int] | None:
    """Return the id that `next_id` would give each of `starts`, read with one query.

    None if they lie too far apart, or if there are more in one second than it has ids.
    """
    firsts = [first_id_of_second(at) for at in starts]
    span = {"lowest": min(firsts), "end": max(firsts) + IDS_PER_SECOND}
    if span["end"] - span["lowest"] > _LARGEST_SPAN:
        return None
    taken = connection.execute(_TAKEN_IDS, span)
    newest = {int(second): int(highest) for second, highest in taken}
    ids: list[int] = []
    for first in firsts:
        second = first // IDS_PER_SECOND
        newest[second] = newest.get(second, first - 1) + 1
        ids.append(newest[second])
    full = any(i >= first + IDS_PER_SECOND for i, first in zip(ids, firsts, strict=True))
    return None if full else ids


def recording_values(facts: Facts) -> dict[str, object]:
    """Return the columns and values of a recording, without its id."""
    row = facts.to_row()
    return {**row, "search_text": searchable(row)}


def index_words(connection: Connection, uid: str) -> None:
    """Bring the search text up to date after a change of the notes or tags of a recording."""
    names = ("uid", "caller_number", "caller_name", "dialed_number", "callee")
    columns = [getattr(Recording, name) for name in names]
    row = connection.execute(select(*columns).where(Recording.uid == uid)).mappings().first()
    if row:
        _write_search_text(connection, dict(row), _words(connection, uid))


def _words(connection: Connection, uid: str) -> list[str]:
    return list(connection.scalars(_WORDS, {"uid": uid}))


def _write_search_text(
    connection: Connection, row: Mapping[str, object], words: Sequence[str]
) -> None:
    text = searchable(row) + searchable_words(words)
    changed = update(Recording).where(Recording.uid == row["uid"]).values(search_text=text)
    connection.execute(changed)


def mark_recording(uid: str, state: str, reason: str) -> None:
    """Set the state of a recording and its reason."""
    values = {"state": state, "state_reason": reason}
    with writing() as connection:
        connection.execute(update(Recording).where(Recording.uid == uid).values(**values))


def reassign_open_recordings(old: str, new: str) -> None:
    """Give the recordings in progress of one PBX to another, which completes them."""
    own = update(Recording).where(Recording.state.in_(OPEN_STATES), Recording.pbx == old)
    with writing() as connection:
        connection.execute(own.values(pbx=new))


def explain_open_recordings(pbx: str, reason: str) -> None:
    """Say why the recordings in progress of a PBX have no worker any more."""
    unexplained = (Recording.pbx == pbx, Recording.state_reason == "")
    own = update(Recording).where(Recording.state.in_(OPEN_STATES), *unexplained)
    with writing() as connection:
        connection.execute(own.values(state_reason=reason))


def save_waveform(uid: str, waveform: bytes) -> None:
    """Save the waveform of a recording, as `Waveform.to_bytes` returns it."""
    with writing() as connection:
        connection.execute(_SAVE_WAVEFORM, {"changed": uid, "peaks": waveform})


def change_recordings(changes: Sequence[RowChange]) -> None:
    """Make several changes in one transaction, leaving out rows that have changed meanwhile."""
    new = [c.facts for c in changes if c.was is None and c.facts is not None]
    with adding_recordings() as connection:
        if new:
            _insert_all(connection, new)
        for facts in new:
            _keep(connection, facts)
        for change in changes:
            if change.was is not None:
                _change(connection, change)


def _change(connection: Connection, change: RowChange) -> None:
    unchanged = Recording.state == change.was
    if change.facts is None:
        _forget(connection, change.uid, unchanged)
        return
    values = recording_values(change.facts)
    same = (Recording.uid == change.uid, unchanged)
    if connection.execute(update(Recording).where(*same).values(**values)).rowcount:
        _keep(connection, change.facts)
    # The update has overwritten the search text without the notes and tags.
    if words := _words(connection, change.uid):
        _write_search_text(connection, values, words)


def _keep(connection: Connection, facts: Facts) -> None:
    """Put back the tag that the facts file has, for a database restored from before it."""
    if facts.keep:
        tag = {"recording_uid": facts.uid, "tag": KEEP_TAG, "username": RECONCILE}
        insert_missing(connection, Tag, {**tag, "created_at": utc_now()})
        index_words(connection, facts.uid)


def forget_recording(uid: str) -> bool:
    """Delete the row, its notes and its tags; return True if there was a row.

    Its file must have been deleted before.
    """
    with writing() as connection:
        return _forget(connection, uid)


def _forget(connection: Connection, uid: str, *still: ColumnElement[bool]) -> bool:
    gone = connection.execute(delete(Recording).where(Recording.uid == uid, *still)).rowcount > 0
    for table in (Note, Tag) if gone else ():
        connection.execute(delete(table).where(table.recording_uid == uid))
    return gone
