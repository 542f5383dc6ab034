"""Wall clock in UTC."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """Return the current time, timezone-aware."""
    return datetime.now(UTC)
