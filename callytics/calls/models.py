"""Table of calls, written by `calls.ledger` and read by `calls.library`."""

from datetime import datetime

from sqlalchemy import JSON, Index, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from callytics.database.columns import LineText, RowId, UtcDateTime, partial_index
from callytics.database.engine import Base
from callytics.json_values import JsonObject


class Call(Base):
    """One call from its first ring to its end, with all its legs and recordings."""

    __tablename__ = "calls"

    id: Mapped[int] = mapped_column(RowId, primary_key=True)
    uid: Mapped[str] = mapped_column(Text, unique=True)
    direction: Mapped[str] = mapped_column(Text)
    caller_number: Mapped[str] = mapped_column(LineText, default="")
    caller_name: Mapped[str] = mapped_column(LineText, default="")
    dialed_number: Mapped[str] = mapped_column(LineText, default="")
    callee: Mapped[str] = mapped_column(LineText, default="")
    flow: Mapped[str] = mapped_column(LineText, default="")
    # Nodes of the flow in the order of the call: node, type, result, started_at, ended_at.
    path: Mapped[list[JsonObject]] = mapped_column(JSON, default=list)
    disposition: Mapped[str | None] = mapped_column(Text)
    hangup_cause: Mapped[int | None] = mapped_column(Integer)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    answered_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    # The PBX that carried it, and the start time of its Asterisk process, which no call outlives.
    pbx: Mapped[str] = mapped_column(Text, default="", server_default="")
    asterisk: Mapped[str] = mapped_column(LineText, default="")
    # Explanation, if something that should have been recorded was not.
    problem: Mapped[str] = mapped_column(LineText, default="")

    __table_args__ = (
        Index("calls_by_time", started_at.desc(), id.desc()),
        Index("calls_by_disposition", disposition, started_at.desc(), id.desc()),
        # Partial indexes stay small: calls in progress, and calls with a problem.
        partial_index("calls_in_progress", "ended_at IS NULL", started_at.desc(), id.desc()),
        partial_index("calls_with_problem", "problem <> ''", id),
    )
