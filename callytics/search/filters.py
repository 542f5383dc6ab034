"""Search filters: a value object whose fields narrow the list of recordings, joined by AND."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

Sort = Literal["time", "duration"]


@dataclass(frozen=True)
class Filters:
    """Filters and sort order of a search. A field that is empty or None filters nothing.

    Times are aware and in UTC: `since` is inclusive, `until` exclusive. Durations are inclusive.
    """

    search: str = ""
    kind: str = ""
    direction: str = ""
    state: str = ""
    flow: str = ""
    callee: str = ""
    tag: str = ""
    since: datetime | None = None
    until: datetime | None = None
    min_ms: int | None = None
    max_ms: int | None = None
    # Sorted by duration, the list leaves out recordings that have none.
    sort: Sort = "time"
    ascending: bool = False

    @property
    def is_narrowed(self) -> bool:
        """True if any filter is set."""
        order = ("sort", "ascending")
        given = (getattr(self, f.name) for f in fields(self) if f.name not in order)
        return any(value not in ("", None) for value in given)

    @property
    def has_period(self) -> bool:
        """True if the time is limited on either side."""
        return bool(self.since or self.until)

    @property
    def has_duration_range(self) -> bool:
        """True if the duration is limited on either side."""
        return self.min_ms is not None or self.max_ms is not None
