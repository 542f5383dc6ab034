"""Table of user accounts."""

from datetime import datetime

from sqlalchemy import Integer, Text
from sqlalchemy.orm import Mapped, mapped_column

from callytics.database.columns import UtcDateTime
from callytics.database.engine import Base


class User(Base):
    """User account."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    username: Mapped[str] = mapped_column(Text, unique=True)
    password_hash: Mapped[str] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text)
    # Dial string of the user's own phone, for click-to-call.
    endpoint: Mapped[str] = mapped_column(Text, default="", server_default="")
    # A session with another key is no longer valid.
    session_key: Mapped[str] = mapped_column(Text, default="", server_default="")
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)

    # The id of a removed user is never given again, since it stands beside what they did.
    __table_args__ = {"sqlite_autoincrement": True}  # noqa: RUF012 - declared so by SQLAlchemy
