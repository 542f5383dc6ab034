"""Tables of the audit: access to recordings, and administrative changes."""

from datetime import datetime

from sqlalchemy import Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from callytics.database.columns import LineText, RowId, UtcDateTime
from callytics.database.engine import Base


class AuditEntry(Base):
    """An action of a person on a recording. Kept after the recording is deleted."""

    __tablename__ = "audit_entries"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    username: Mapped[str] = mapped_column(Text)
    # Account of the author; none for the program itself and for commands.
    user_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(Text)
    recording_uid: Mapped[str] = mapped_column(Text)
    detail: Mapped[str] = mapped_column(LineText, default="")

    __table_args__ = (Index("audit_by_recording", recording_uid, at.desc()),)


class Change(Base):
    """An administrative change: its author, and the value before and after it."""

    __tablename__ = "changes"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    username: Mapped[str] = mapped_column(Text)
    # Account of the author; none for the program itself and for commands.
    user_id: Mapped[int | None]
    thing: Mapped[str] = mapped_column(Text)
    before: Mapped[str] = mapped_column(Text)
    after: Mapped[str] = mapped_column(Text)
