"""Table of saved searches."""

from sqlalchemy import ForeignKey, Integer, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from callytics.database.engine import Base


class SavedSearch(Base):
    """A named search of one user."""

    __tablename__ = "saved_searches"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    # Query string of the page, without its paging cursor.
    query: Mapped[str] = mapped_column(Text)

    __table_args__ = (UniqueConstraint("user_id", "name"),)
