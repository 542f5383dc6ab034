"""Content of the library's list: its table of recordings, and the form around it."""

import time
from collections.abc import Hashable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Protocol, TypedDict, cast

from flask import abort, current_app, render_template, request
from flask_login import current_user
from jinja2 import Environment
from markupsafe import Markup

from callytics.clock import utc_now
from callytics.database.engine import db
from callytics.database.paging import CursorError
from callytics.recordings import library, notes
from callytics.recordings.library import RecordingRow
from callytics.search import saved_searches
from callytics.search.counting import Count, extend_count
from callytics.search.engine import SearchPage, find
from callytics.search.filters import Filters
from callytics.search.saved_searches import SavedSearchRow
from callytics.web.http.cached_until_write import cached_until_write
from callytics.web.http.list_pages import Around, Table
from callytics.web.http.offload import counts, run_with_deadline, searches
from callytics.web.recordings.search_form import SearchForm, parse_search

# Timeout of a search, far above what its bounds permit; reached when a disk hangs.
SEARCH_SECONDS = 10.0
# Longest time for extending a count, which is done after the page.
COUNTING_SECONDS = 4.0
# Cached rows of HTML, some 3 kB each.
MOST_ROWS = 2000
# Lifetime of the cached lists of names.
NAMES_SECONDS = 60
# Typing a name is quicker than choosing from a longer list.
MOST_OFFERED = 200


class FormParts(TypedDict):
    """Template variables of the search form."""

    form: SearchForm
    names: Markup
    saved: Sequence[SavedSearchRow]


class RowMacros(Protocol):
    """Macros of recordings/_row.html."""

    def html_of(self, row: RecordingRow, is_admin: bool) -> str: ...


def library_table(form: SearchForm, known: Count | None) -> Table:
    """Return the table of the requested page; abort with 400 for a wrong cursor, 503 if too slow.

    `known` is the count from an earlier request, if any.
    """
    cursors = request.args.get("after"), request.args.get("before")
    try:
        # Several people look at the same newest page, so its search is cached.
        page = cached_until_write(_search, form.filters, *cursors)
        page = replace(page, count=_best_count(page.count, known, form.filters))
    except CursorError:
        abort(400, "There is no such place in the list. Begin with the newest.")
    except TimeoutError:
        abort(503, "The search took too long. Choose fewer days, or try again in a minute.")
    is_nothing = not page.rows and page.is_newest and bool(form.active)
    loosen, is_complete = _filters_to_drop(form) if is_nothing else ([], True)
    return Table(
        page,
        {"form": form, "loosen": loosen},
        _rows_html(page.rows),
        # An unfinished count, or searches that ran out of time, may give more the next time.
        holds_until_write=is_complete and "count" not in request.args,
    )


def form_parts(form: SearchForm) -> FormParts:
    """Return what the templates of the form need."""
    return {
        "form": form,
        "names": _names(int(time.monotonic() // NAMES_SECONDS), db.engine.url),
        "saved": cached_until_write(saved_searches.saved_searches, current_user.id),
    }


def around_table(form: SearchForm) -> Around:
    """Return the form above the table and the actions below it."""
    parts = form_parts(form)
    return Around(parts, (tuple(form.typed.items()), parts["names"], *parts["saved"]))


def _search(filters: Filters, after: str | None, before: str | None) -> SearchPage:
    if not filters.is_narrowed and db.engine.dialect.name == "sqlite":
        # Without filters a page reads 26 index entries: a thread would take longer.
        return find(filters, after, before)
    return run_with_deadline(find, filters, after, before, seconds=SEARCH_SECONDS, limiter=searches)


def _best_count(count: Count, known: Count | None, filters: Filters) -> Count:
    """Return the best known count, extended if the URL asks for that."""
    if not count.may_go_on:
        return count
    if request.args.get("count") != "all":
        return known or count
    try:
        return run_with_deadline(
            extend_count, filters, COUNTING_SECONDS, seconds=SEARCH_SECONDS, limiter=counts
        )
    except TimeoutError:
        return replace(count, at_length=True)


def _filters_to_drop(form: SearchForm) -> tuple[list[tuple[str, Count]], bool]:
    """Return each filter whose removal gives results, with their count; and True if all were tried.

    All searches share the timeout of one.
    """
    until = time.monotonic() + SEARCH_SECONDS
    found: list[tuple[str, Count]] = []
    for name in form.active:
        less = parse_search(form.without(name), utc_now())
        try:
            seconds = max(0.001, until - time.monotonic())
            count = run_with_deadline(find, less.filters, seconds=seconds, limiter=searches).count
        except TimeoutError:
            return found, False
        if count.number:
            found.append((name, count))
    return found, True


@lru_cache(maxsize=1)
def _names(_minute: int, _database: Hashable) -> Markup:
    """Return the HTML of the flows, callees and tags to choose from."""
    flows = library.distinct_values("flow", MOST_OFFERED)
    callees = library.distinct_values("callee", MOST_OFFERED)
    parts = {"flows": flows, "callees": callees, "tags": notes.recent_tags()}
    return Markup(render_template("recordings/_names.html", **parts))


def _rows_html(rows: Sequence[RecordingRow]) -> list[Markup]:
    is_admin, templates = current_user.is_admin, current_app.jinja_env
    return [_row_html(row, is_admin, templates) for row in rows]


@lru_cache(maxsize=MOST_ROWS)
def _row_html(row: RecordingRow, is_admin: bool, templates: Environment) -> Markup:
    """Return the HTML of a row, cached by its values and the role: half of a page's time."""
    # A macro takes a quarter less time than a template, which builds a context of all variables.
    macros = cast(RowMacros, templates.get_template("recordings/_row.html").module)
    return Markup(macros.html_of(row, is_admin))
