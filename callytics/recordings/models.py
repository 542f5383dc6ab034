"""The tables. Rows of calls and recordings are written by `ledger` and read by `library`."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from callytics.database.engine import Base, PausedSpans, UtcDateTime
from callytics.recordings.pauses import Spans

# SQLite numbers rows by itself only when the column's type is exactly INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")
# Ordered by its bytes, as the files are; PostgreSQL would order it as a language does.
PathText = Text().with_variant(Text(collation="C"), "postgresql")


def _some(name: str, condition: str, *columns: Any) -> Index:
    """An index of those rows alone that fulfil a condition."""
    where = text(condition)
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)


class Call(Base):
    """One conversation as a person would tell it."""

    __tablename__ = "calls"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    uid: Mapped[str] = mapped_column(Text, unique=True)
    direction: Mapped[str] = mapped_column(Text)
    caller_number: Mapped[str] = mapped_column(Text, default="")
    caller_name: Mapped[str] = mapped_column(Text, default="")
    dialed_number: Mapped[str] = mapped_column(Text, default="")
    callee: Mapped[str] = mapped_column(Text, default="")
    flow: Mapped[str] = mapped_column(Text, default="")
    # The nodes that the call went through: node, type, result, started_at, ended_at of each.
    path: Mapped[list[dict[str, Any]]] = mapped_column(JSON, default=list)
    disposition: Mapped[str | None] = mapped_column(Text)
    hangup_cause: Mapped[int | None] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # Who led it, and when the Asterisk that carried it was started: calls of one that is gone
    # cannot still be going on.
    worker: Mapped[str] = mapped_column(Text, default="", server_default="")
    asterisk: Mapped[str] = mapped_column(Text, default="")
    # What should have been recorded and was not, in words.
    problem: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (
        Index("calls_by_time", started_at.desc(), id.desc()),
        Index("calls_by_disposition", disposition, started_at.desc(), id.desc()),
        # Few of many, so these are small: what goes on now, and what went wrong.
        _some("calls_in_progress", "ended_at IS NULL", started_at.desc(), id.desc()),
        _some("calls_with_problem", "problem <> ''", id),
    )


class Recording(Base):
    """One piece of audio, or the reason why there is none.

    Its id is its place in time, given by the ledger: the second in which it began, and four
    digits that count those of the same second. So the newest are the last rows of the table, a
    search finds the newest first, and any place in the list is one number.
    """

    __tablename__ = "recordings"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    uid: Mapped[str] = mapped_column(Text, unique=True)
    call_uid: Mapped[str] = mapped_column(Text, default="", index=True)
    kind: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    state_reason: Mapped[str] = mapped_column(Text, default="")
    caller_number: Mapped[str] = mapped_column(Text, default="")
    caller_name: Mapped[str] = mapped_column(Text, default="")
    dialed_number: Mapped[str] = mapped_column(Text, default="")
    callee: Mapped[str] = mapped_column(Text, default="")
    flow: Mapped[str] = mapped_column(Text, default="")
    node: Mapped[str] = mapped_column(Text, default="")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    format: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    path: Mapped[str] = mapped_column(PathText)
    sha256: Mapped[str | None] = mapped_column(Text)
    # Where somebody stopped the recording for a while and let it go on.
    pauses: Mapped[Spans | None] = mapped_column(PausedSpans)
    peaks: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    # What a search looks in; SQLite's index of it is the table recordings_search.
    search_text: Mapped[str] = mapped_column(Text, default="", server_default="", deferred=True)

    __table_args__ = (
        # Any of the three alone or together is a handful of ranges, each in order of time.
        Index("recordings_by_sort", state, kind, direction, id),
        Index("recordings_by_flow", flow, id),
        Index("recordings_by_callee", callee, id),
        Index("recordings_by_duration", duration_ms, id),
        Index("recordings_by_path", path, id),
    )


class Member(Base):
    """A member of queues, and whom they are busy with, over all queues and all workers."""

    __tablename__ = "members"

    member: Mapped[str] = mapped_column(Text, primary_key=True)
    # The call that rings this member or talks to them; None while they are free.
    call_uid: Mapped[str | None] = mapped_column(Text)
    worker: Mapped[str] = mapped_column(Text, default="")
    last_ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The end of the time to write things up after a call.
    free_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Pause(Base):
    """A member who takes no calls of a queue for now."""

    __tablename__ = "pauses"

    queue: Mapped[str] = mapped_column(Text, primary_key=True)
    member: Mapped[str] = mapped_column(Text, primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)


class Waiting(Base):
    """A caller who waits in a queue right now."""

    __tablename__ = "waiting"

    call_uid: Mapped[str] = mapped_column(Text, primary_key=True)
    queue: Mapped[str] = mapped_column(Text, index=True)
    worker: Mapped[str] = mapped_column(Text)
    caller_number: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(UtcDateTime)


class Note(Base):
    """What somebody wrote on a recording, perhaps at a place in it."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    recording_uid: Mapped[str] = mapped_column(Text, index=True)
    at_ms: Mapped[int | None] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    username: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Tag(Base):
    """A word that somebody put on a recording, to find it and others like it."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    recording_uid: Mapped[str] = mapped_column(Text)
    tag: Mapped[str] = mapped_column(Text)
    username: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("recording_uid", "tag", name="tag_once"),
        Index("tags_by_tag", tag, recording_uid),
    )


class User(Base):
    """A person who may sign in."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    username: Mapped[str] = mapped_column(Text, unique=True)
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    # The dial string of this person's own phone, for calls that they place from a page.
    endpoint: Mapped[str] = mapped_column(Text, default="", server_default="")
    # A session that was begun with another one is over.
    session_key: Mapped[str] = mapped_column(Text, default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AuditEntry(Base):
    """Who did what to a recording. Kept when the recording itself is gone."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    username: Mapped[str] = mapped_column(Text)
    action: Mapped[str] = mapped_column(Text)
    recording_uid: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(Text, default="")

    __table_args__ = (Index("audit_by_recording", recording_uid, at.desc()),)


class FlowDocument(Base):
    """A version of the flow document; the newest is in force."""

    __tablename__ = "flow_documents"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_by: Mapped[str] = mapped_column(Text)
    # What was changed in it, in words.
    said: Mapped[str] = mapped_column(Text, default="", server_default="")
    document: Mapped[dict[str, Any]] = mapped_column(JSON)


class FlowDraft(Base):
    """What one administrator has changed in the flow document and not yet put in force."""

    __tablename__ = "flow_drafts"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    # The version that was in force when the draft was begun; 0 before the first.
    base_id: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Not checked as a whole: a draft may be unfinished.
    document: Mapped[dict[str, Any]] = mapped_column(JSON)


class SavedSearch(Base):
    """A view of the library that somebody gave a name."""

    __tablename__ = "saved_searches"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    # The query of its address, without a place in the list.
    query: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("user_id", "name"),)


class Setting(Base):
    """One setting that is not at its default."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class Change(Base):
    """Who changed a setting, a pause of a member or the like, from what to what."""

    __tablename__ = "changes"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    username: Mapped[str] = mapped_column(Text)
    thing: Mapped[str] = mapped_column(Text)
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)


class Worker(Base):
    """A worker process as it last reported itself."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # None while it has no connection to Asterisk.
    connected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    asterisk_version: Mapped[str] = mapped_column(Text, default="")
    problem: Mapped[str] = mapped_column(Text, default="")
