"""Table of worker processes."""

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from callytics.database.columns import UtcDateTime
from callytics.database.engine import Base


class Worker(Base):
    """A worker process, as of its last heartbeat."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # None while it has no connection to Asterisk.
    connected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    asterisk_version: Mapped[str] = mapped_column(Text, default="")
    problem: Mapped[str] = mapped_column(Text, default="")
