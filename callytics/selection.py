"""Several recordings that somebody works with at once: those they chose, or all that match."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from callytics import library
from callytics.filters import Filters
from callytics.finding import find

# What one zip or one deletion may take. More than anybody means; who does can narrow the list.
MOST = 10_000
_UID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


class SelectionError(ValueError):
    """Nothing that can be worked with; the message says what to do."""


# More checkboxes than any page has.
_MOST_CHOSEN = 1000


@dataclass(frozen=True)
class Part:
    """Some recordings of a selection, and where to go on after them; None at its end."""

    rows: Sequence[Any]
    after: str | None


@dataclass(frozen=True)
class Selection:
    """Recordings by name; or by what the list shows, of those that were there by `until_id`."""

    uids: tuple[str, ...] = ()
    everything: bool = False
    until_id: int | None = None
    filters: Filters = field(default_factory=Filters)

    def parts(self, after: str | None = None) -> Iterator[Part]:
        """The selection, a page at a time. Raises CursorError."""
        if not self.everything:
            yield Part(library.recordings(self.uids), None)
            return
        while True:
            page = find(self.filters, after)
            rows = [row for row in page.rows if self.until_id is None or row.id <= self.until_id]
            yield Part(rows, page.older)
            if page.older is None:
                return
            after = page.older


def chosen(
    uids: Sequence[str], everything: bool, until_id: str | None, filters: Filters
) -> Selection:
    """The selection that a form says; `filters` are those of its list. Raises SelectionError."""
    if until_id is not None and not re.fullmatch(r"[0-9]{1,18}", until_id, re.ASCII):
        raise SelectionError("The form was not complete. Go back and try again.")
    until = int(until_id) if until_id else None
    if everything:
        return Selection(everything=True, until_id=until, filters=filters)
    known = tuple(dict.fromkeys(uid for uid in uids if _UID.fullmatch(uid)))
    if not known:
        raise SelectionError("Nothing is selected. Go back and tick some recordings first.")
    if len(known) > _MOST_CHOSEN:
        raise SelectionError(
            f"At most {_MOST_CHOSEN} can be ticked. Choose all that match instead."
        )
    return Selection(known)
