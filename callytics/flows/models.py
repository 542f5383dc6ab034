"""Tables of the flow document: its versions and its drafts."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from callytics.database.columns import UtcDateTime
from callytics.database.engine import Base
from callytics.json_values import JsonObject


class FlowDocument(Base):
    """A version of the flow document; the newest one is published."""

    __tablename__ = "flow_documents"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    saved_at: Mapped[datetime] = mapped_column(UtcDateTime)
    saved_by: Mapped[str] = mapped_column(Text)
    user_id: Mapped[int | None]
    # Summary of the changes since the version before.
    said: Mapped[str] = mapped_column(Text, default="", server_default="")
    document: Mapped[JsonObject] = mapped_column(JSON)


class FlowDraft(Base):
    """One administrator's edited copy of the flow document, not yet published."""

    __tablename__ = "flow_drafts"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    # The version that was published when the draft was started; 0 before the first version.
    base_id: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    # Not validated as a whole: a draft may be unfinished.
    document: Mapped[JsonObject] = mapped_column(JSON)
