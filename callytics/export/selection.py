"""Bulk selection: chosen recordings, or all that match a search."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from callytics.identifiers import is_uid
from callytics.recordings import library
from callytics.search.engine import SearchPage, find
from callytics.search.filters import Filters

# What one zip or one deletion may take. More than anybody means; who does can narrow the list.
MOST = 10_000


class SelectionError(ValueError):
    """Nothing that can be worked with; the message says what to do."""


# More checkboxes than any page has.
_MOST_CHOSEN = 1000

Look = Callable[..., SearchPage]


@dataclass(frozen=True)
class Part:
    """Some recordings of a selection, and where to go on after them; None at its end."""

    rows: Sequence[Any]
    after: str | None


@dataclass(frozen=True)
class Selection:
    """Recordings by name, or all that filters find of those that were there by `until_id`."""

    uids: tuple[str, ...] = ()
    filters: Filters | None = None
    until_id: int | None = None

    def parts(self, after: str | None = None, look: Look = find) -> Iterator[Part]:
        """The selection, a page at a time, newest first. Raises CursorError."""
        if self.filters is None:
            yield Part(library.recordings(self.uids), None)
            return
        if after is None and self.until_id is not None:
            after = str(self.until_id + 1)
        while True:
            page = look(self.filters, after, counted=False)
            yield Part(page.rows, page.older)
            if page.older is None:
                return
            after = page.older


def chosen(uids: Sequence[str]) -> Selection:
    """The recordings with these names. Raises SelectionError."""
    known = tuple(dict.fromkeys(uid for uid in uids if is_uid(uid)))
    if not known:
        raise SelectionError("Nothing is selected. Go back and tick some recordings first.")
    if len(known) > _MOST_CHOSEN:
        raise SelectionError(
            f"At most {_MOST_CHOSEN} can be ticked. Choose all that match instead."
        )
    return Selection(known)


def matching(filters: Filters, until_id: str | None) -> Selection:
    """All that a list with these filters shows. Raises SelectionError."""
    if until_id is not None and not re.fullmatch(r"[0-9]{1,18}", until_id, re.ASCII):
        raise SelectionError("The form was not complete. Go back and try again.")
    if filters.sort == "duration":
        # As the list does, which has no place for those without a length.
        filters = replace(filters, min_ms=filters.min_ms or 0)
    in_order = replace(filters, sort="time", ascending=False)
    return Selection(filters=in_order, until_id=int(until_id) if until_id else None)
