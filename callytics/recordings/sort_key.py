"""Ids of recordings in order of time, which make an id a position in the list."""

from datetime import UTC, datetime

IDS_PER_SECOND = 10_000
_LAST_SECOND = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def first_id_of_second(at: datetime) -> int:
    """Return the lowest id of a recording that starts in the second of `at`, 0 before 1970."""
    return int(min(max(at.timestamp(), 0), _LAST_SECOND)) * IDS_PER_SECOND
