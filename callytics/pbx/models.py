"""Table of PBXs."""

from datetime import datetime

from sqlalchemy import Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from callytics.database.columns import LineText, UtcDateTime
from callytics.database.engine import Base


class Pbx(Base):
    """A PBX, that is one Asterisk with its worker and its folder, as of its last heartbeat."""

    __tablename__ = "pbxs"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcDateTime)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # None while it has no connection to Asterisk.
    connected_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    asterisk_version: Mapped[str] = mapped_column(LineText, default="")
    problem: Mapped[str] = mapped_column(LineText, default="")
    # The worker that has the lease: a random id of its process, its host, its process number, and
    # the file lock by which others on that host see that it lives.
    holder: Mapped[str] = mapped_column(Text, default="", server_default="")
    host: Mapped[str] = mapped_column(Text, default="", server_default="")
    process: Mapped[int | None] = mapped_column(Integer)
    lock: Mapped[str] = mapped_column(Text, default="", server_default="")
    # By the clock of the database. None before the first lease.
    lease_until: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The Asterisk of the last connection, by its id and start time, and the Stasis application.
    asterisk: Mapped[str] = mapped_column(Text, default="", server_default="")
    application: Mapped[str] = mapped_column(Text, default="", server_default="")
    # When other workers closed what it had left open; None while it lives.
    given_up_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
