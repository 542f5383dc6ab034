"""Table of settings."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from callytics.database.engine import Base


class Setting(Base):
    """Setting with another value than its default."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text)
