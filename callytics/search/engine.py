"""Search engine: runs a search and returns a page of it, with bounded work for each page.

Filters become criteria, criteria open access paths, the planner chooses one and the window in which
it is read, and the rows of that window are the page. If one filter leaves few recordings, all of
them are read and the page is exact. If each filter alone leaves many, a bounded number is read in
the order of the list: a page that is not full by then says so, and the next page goes on from
there.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from callytics.database.paging import PAGE_SIZE, CursorError
from callytics.database.reading import reading
from callytics.search import counting
from callytics.search.counting import NOT_COUNTED, Count, count_of, known_count, limited
from callytics.search.filters import Filters
from callytics.search.planner import Planner
from callytics.search.rows import FoundRow, read_rows
from callytics.search.window import Key, Window, cursor_of, parse_cursor


@dataclass(frozen=True)
class SearchPage:
    """One page of a search, with the cursors of the pages before and after it."""

    rows: Sequence[FoundRow]
    newer: str | None
    older: str | None
    count: Count
    # True if the budget was used up before the page was full; its cursors go on from there.
    cut_short: bool = False

    @property
    def is_newest(self) -> bool:
        """True if a new recording would appear at the top of this page."""
        return self.newer is None


def find(
    filters: Filters, after: str | None = None, before: str | None = None, counted: bool = True
) -> SearchPage:
    """Return the page after or before a cursor, else the first one.

    Also the first one if less than a page is before the cursor. Counting can be left out by callers
    that read all pages. Raises CursorError. Needs an app context.
    """
    if after is not None and before is not None:
        raise CursorError("two places at once")
    key = parse_cursor(after, filters) if after is not None else None
    key_before = parse_cursor(before, filters) if before is not None else None
    with reading() as connection:
        search = _Search(connection, filters, counted)
        if key_before is not None:
            page = search.page(Window.of(filters, key_before, forward=False), forward=False)
            if page.newer:
                return page
        return search.page(Window.of(filters, key), forward=True)


class _Search:
    """Pages of one search over one connection."""

    def __init__(self, connection: Connection, filters: Filters, counted: bool) -> None:
        self._connection = connection
        self._filters = filters
        self._counted = counted
        self._planner = Planner(connection, filters)

    def page(self, window: Window, forward: bool) -> SearchPage:
        """Return the page that a window begins with, towards the end of the list or back."""
        plan = self._planner.plan(window)
        count = known_count(self._filters) if self._counted else NOT_COUNTED
        # Rows that have to be read to fill the page are counted by the same query.
        at_once = count is None and window.key is None and not plan.path.is_exact
        most = counting.COUNTED + 1 if at_once else 0
        found = read_rows(self._connection, plan, PAGE_SIZE + 1, most)
        if at_once:
            count = limited(found[0].number if found else 0, plan)
        is_full, rows = len(found) > PAGE_SIZE, found[:PAGE_SIZE]
        far = _key_of(rows[-1], window) if is_full else plan.window.end
        near = _near(rows, window, forward)
        newer, older = (near, far) if forward else (far, near)
        return SearchPage(
            rows[:: 1 if forward else -1],
            cursor_of(newer),
            cursor_of(older),
            count or self._count(),
            cut_short=not is_full and not plan.is_whole,
        )

    def _count(self) -> Count:
        return count_of(self._connection, self._planner.plan(Window.of(self._filters)))


def _near(rows: Sequence[FoundRow], window: Window, forward: bool) -> Key | None:
    """Return the key from which the list goes on in the other direction; None at its beginning."""
    if window.key is None or rows:
        return window.key and _key_of(rows[0], window)
    return window.key if forward else window.key_before


def _key_of(row: FoundRow, window: Window) -> Key:
    return window.key_of(row.duration_ms, row.id)
