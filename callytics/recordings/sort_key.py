"""The place of a recording in time: its id, and what a page of the library goes on from."""

from datetime import UTC, datetime

# Places for recordings of the same second.
PER_SECOND = 10_000
_LAST_SECOND = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def place_of(at: datetime) -> int:
    """The first place of the second that `at` is in; nothing was recorded before 1970."""
    return int(min(max(at.timestamp(), 0), _LAST_SECOND)) * PER_SECOND
