"""Tables of recordings, written by `recordings.ledger` and read by `recordings.library`."""

from datetime import datetime

from sqlalchemy import BigInteger, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callytics.database.columns import LineText, PathText, RowId, UtcDateTime
from callytics.database.engine import Base
from callytics.recordings.pause_column import PausedSpans
from callytics.recordings.pauses import Spans


class Recording(Base):
    """One recording: its audio file, or the reason why there is none.

    The ledger assigns ids in order of time: the second in which the recording began, followed by
    four digits that number the recordings of that second. So one number is a position in the
    list, and the newest recordings are the last rows of the table.
    """

    __tablename__ = "recordings"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    uid: Mapped[str] = mapped_column(Text, unique=True)
    call_uid: Mapped[str] = mapped_column(Text, default="", index=True)
    kind: Mapped[str] = mapped_column(Text)
    direction: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text)
    state_reason: Mapped[str] = mapped_column(LineText, default="")
    caller_number: Mapped[str] = mapped_column(LineText, default="")
    caller_name: Mapped[str] = mapped_column(LineText, default="")
    dialed_number: Mapped[str] = mapped_column(LineText, default="")
    callee: Mapped[str] = mapped_column(LineText, default="")
    flow: Mapped[str] = mapped_column(LineText, default="")
    node: Mapped[str] = mapped_column(LineText, default="")
    # The PBX that recorded it; empty if it is not known.
    pbx: Mapped[str] = mapped_column(Text, default="", server_default="")
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    format: Mapped[str] = mapped_column(Text)
    size_bytes: Mapped[int | None] = mapped_column(BigInteger)
    path: Mapped[str] = mapped_column(PathText)
    sha256: Mapped[str | None] = mapped_column(Text)
    # Spans in which somebody paused the recording.
    pauses: Mapped[Spans | None] = mapped_column(PausedSpans)
    peaks: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    # Text to search in; on SQLite the FTS table recordings_search indexes it.
    search_text: Mapped[str] = mapped_column(Text, default="", server_default="", deferred=True)

    __table_args__ = (
        # A filter by any of the three columns is a few ranges of this index, each in order of time.
        Index("recordings_by_sort", state, kind, direction, id),
        Index("recordings_by_flow", flow, id),
        Index("recordings_by_callee", callee, id),
        Index("recordings_by_duration", duration_ms, id),
        Index("recordings_by_path", path, id),
    )


class Note(Base):
    """A note on a recording, optionally at a position in its audio."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    recording_uid: Mapped[str] = mapped_column(Text, index=True)
    at_ms: Mapped[int | None] = mapped_column(Integer)
    text: Mapped[str] = mapped_column(Text)
    username: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Tag(Base):
    """A tag on a recording."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    recording_uid: Mapped[str] = mapped_column(Text)
    tag: Mapped[str] = mapped_column(Text)
    username: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("recording_uid", "tag", name="tag_once"),
        Index("tags_by_tag", tag, recording_uid),
    )
