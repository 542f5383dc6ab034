"""Column types and partial indexes shared by the tables."""

from datetime import UTC, datetime

from sqlalchemy import BigInteger, DateTime, Dialect, Index, Integer, Text, TypeDecorator, text
from sqlalchemy.sql.roles import DDLConstraintColumnRole

from callytics.plain_text import one_line

# SQLite numbers rows by itself only when the column's type is exactly INTEGER.
RowId = BigInteger().with_variant(Integer, "sqlite")
# Sorted by bytes, as the folder walk sorts files; PostgreSQL would sort by the rules of a language.
PathText = Text().with_variant(Text(collation="C"), "postgresql")


class LineText(TypeDecorator[str]):
    """A text of one line. Control characters are left out when it is written."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else one_line(value)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time. SQLite stores no zone, so it is added when a row is read."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def partial_index(name: str, condition: str, *columns: DDLConstraintColumnRole | str) -> Index:
    """Return an index of only the rows that fulfill the SQL `condition`."""
    where = text(condition)
    return Index(name, *columns, sqlite_where=where, postgresql_where=where)
