"""Bulk selection: ticked recordings, or all recordings that match a search."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from callytics.identifiers import is_uid
from callytics.recordings import library
from callytics.recordings.library import RecordingRow
from callytics.search.engine import SearchPage, find
from callytics.search.filters import Filters

# Recordings of one ZIP or one bulk deletion.
MOST = 10_000


class SelectionError(ValueError):
    """Invalid selection; the message says what to do."""


# More than the checkboxes of any page.
_MOST_CHOSEN = 1000

Look = Callable[..., SearchPage]


@dataclass(frozen=True)
class Part:
    """One page of a selection, and the cursor of the next one; None at the end."""

    rows: Sequence[RecordingRow]
    after: str | None


@dataclass(frozen=True)
class Selection:
    """Recordings by uid, or all matches of `filters` with an id up to `until_id`."""

    uids: tuple[str, ...] = ()
    filters: Filters | None = None
    until_id: int | None = None

    def parts(self, after: str | None = None, look: Look = find) -> Iterator[Part]:
        """Yield the selection page by page, newest first. Raises CursorError."""
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
    """Return a selection of the recordings with these uids. Raises SelectionError."""
    known = tuple(dict.fromkeys(uid for uid in uids if is_uid(uid)))
    if not known:
        raise SelectionError("Nothing is selected. Go back and tick some recordings first.")
    if len(known) > _MOST_CHOSEN:
        raise SelectionError(
            f"At most {_MOST_CHOSEN} can be ticked. Choose all that match instead."
        )
    return Selection(known)


def matching(filters: Filters, until_id: str | None) -> Selection:
    """Return a selection of all matches of `filters`. Raises SelectionError."""
    if until_id is not None and not re.fullmatch(r"[0-9]{1,18}", until_id, re.ASCII):
        raise SelectionError("The form was not complete. Go back and try again.")
    if filters.sort == "duration":
        # A list in order of duration leaves out recordings without one.
        filters = replace(filters, min_ms=filters.min_ms or 0)
    in_order = replace(filters, sort="time", ascending=False)
    return Selection(filters=in_order, until_id=int(until_id) if until_id else None)
