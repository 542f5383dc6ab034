"""Table of retention runs."""

from datetime import datetime

from sqlalchemy import Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from callytics.database.columns import RowId, UtcDateTime
from callytics.database.engine import Base


class RetentionRun(Base):
    """A run of retention: what it deleted, or why it was refused and who confirmed it."""

    __tablename__ = "retention_runs"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Recordings from before this moment were to be deleted.
    cutoff: Mapped[datetime | None] = mapped_column(UtcDateTime)
    expired: Mapped[int] = mapped_column(Integer, default=0)
    deleted: Mapped[int] = mapped_column(Integer, default=0)
    # Reason of the refusal; empty for a run that took place.
    problem: Mapped[str] = mapped_column(Text, default="")
    confirmed_by: Mapped[str] = mapped_column(Text, default="")
