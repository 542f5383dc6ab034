"""What somebody looks for in the library: every field narrows the list, and they combine."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

Sort = Literal["time", "duration"]


@dataclass(frozen=True)
class Filters:
    """Empty fields do not narrow. Times are aware UTC, `until` is the first that is too late."""

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
    # By duration, recordings that have none are left out: there is no place for them.
    sort: Sort = "time"
    ascending: bool = False

    @property
    def is_narrowed(self) -> bool:
        """Whether any field leaves recordings out."""
        order = ("sort", "ascending")
        given = (getattr(self, f.name) for f in fields(self) if f.name not in order)
        return any(value not in ("", None) for value in given)
