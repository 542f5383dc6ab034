"""Tables of queues: members, their pauses, and waiting callers."""

from datetime import datetime

from sqlalchemy import Boolean, Text, false
from sqlalchemy.orm import Mapped, mapped_column

from callytics.database.columns import LineText, UtcDateTime
from callytics.database.engine import Base


class Member(Base):
    """Queue member and the call that occupies them, for all queues and PBXs."""

    __tablename__ = "members"

    member: Mapped[str] = mapped_column(Text, primary_key=True)
    # The call that rings this member or is connected to them; None while they are free.
    call_uid: Mapped[str | None] = mapped_column(Text)
    pbx: Mapped[str] = mapped_column(Text, default="")
    last_ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # End of the wrap-up time after a call.
    free_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class MemberPause(Base):
    """Pause of a member in a queue."""

    __tablename__ = "pauses"

    queue: Mapped[str] = mapped_column(Text, primary_key=True)
    member: Mapped[str] = mapped_column(Text, primary_key=True)
    since: Mapped[datetime] = mapped_column(UtcDateTime)


class Waiting(Base):
    """Caller who is waiting in a queue."""

    __tablename__ = "waiting"

    call_uid: Mapped[str] = mapped_column(Text, primary_key=True)
    queue: Mapped[str] = mapped_column(Text, index=True)
    pbx: Mapped[str] = mapped_column(Text)
    caller_number: Mapped[str] = mapped_column(LineText)
    since: Mapped[datetime] = mapped_column(UtcDateTime)
    # Members ring for this caller.
    ringing: Mapped[bool] = mapped_column(Boolean, default=False, server_default=false())
