"""List views: the whole page, or for htmx its table, or 304 where the table is unchanged.

An open page asks for its table every two seconds. Its ETag is a digest of what the table is made
of. The digest is remembered until the next write to the database, so most of these requests end
after the sign-in check without a query.
"""

import json
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from functools import cache, lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Protocol

from flask import (
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import Row
from werkzeug.wrappers import Response

from callytics.clock import utc_now
from callytics.database.paging import CursorError, ListedRow, Listing, Page
from callytics.pbx import heartbeat
from callytics.version import __version__
from callytics.web.http.cached_until_write import cached_until_write, recall, remember
from callytics.web.http.worker_banner import Notice, worker_notice

# Frames that are kept, of some 20 kB each.
MOST_FRAMES = 200
# Stands for the table in the page around it; no text that is shown can hold it.
PLACEHOLDER = Markup("<table-comes-here>")


class ListPage(Protocol):
    """A page of a list; `newer` and `older` are the cursors of the pages beside it."""

    @property
    def rows(self) -> Sequence[object]:
        """The rows, in the order in which they are shown."""

    @property
    def newer(self) -> str | None:
        """Cursor of the page before."""

    @property
    def older(self) -> str | None:
        """Cursor of the page after."""

    @property
    def is_newest(self) -> bool:
        """True if a new row would be shown at its top."""


@dataclass(frozen=True)
class Table:
    """Content of a list's table: a page of rows, and what else its template needs."""

    page: ListPage
    shown: Mapping[str, object] = field(default_factory=dict)
    # The rows as HTML, where the view keeps that; else the template renders them.
    rows_html: Sequence[Markup] = ()
    # False where the same state of the database may give another table in a moment.
    holds_until_write: bool = True


@dataclass(frozen=True)
class Around:
    """Content of a list's page around the table: what `index.html` needs besides the filters.

    `key` is equal where `parts` are, and tells frames apart that are kept; with None each request
    has its page rendered anew.
    """

    parts: Mapping[str, object] = field(default_factory=dict, compare=False)
    key: tuple[Hashable, ...] | None = None


def asked_page(listing: Listing[ListedRow]) -> Page[ListedRow]:
    """Return the page of `listing` that the URL asks for; abort with 400 for a wrong cursor."""
    after, before = request.args.get("after"), request.args.get("before")
    try:
        if after is not None and before is not None:
            raise CursorError("two places at once")
        if after is not None:
            return listing.page_after(after)
        return listing.newest_page() if before is None else listing.page_before(before)
    except CursorError:
        abort(400, "There is no such place in the list. Begin with the newest.")


def list_response(
    templates: str,
    read: Callable[[], Table],
    filters: Mapping[str, str],
    *,
    depends_on: tuple[Hashable, ...] = (),
    around: Callable[[], Around] = Around,
) -> Response:
    """Answer a request for a list with its page, its table (htmx) or 304.

    `templates` is the folder of `index.html` and `_table.html`. `filters` is the query of the URL
    without its cursor. `depends_on` names what the table depends on besides the database, the
    URL, the role and the worker's notice. `around` returns what the page shows around the table.
    """
    notice = worker_notice(cached_until_write(heartbeat.living_pbxs), utc_now())
    asked = (templates, request.query_string, current_user.role, notice, *depends_on)
    known = recall(asked)
    if known and _has_part(str(known[0])):
        return _not_modified(str(known[0]))
    table = read()
    if table.page.is_newest and "before" in request.args:
        return redirect(_list_url(filters))
    version = _version(table, filters, notice)
    if table.holds_until_write:
        remember(asked, version)
    if _has_part(version):
        return _not_modified(version)
    html = _render_table(templates, table, filters, notice, version)
    if is_htmx():
        part = make_response(html)
        part.set_etag(version)
        return varied(part)
    before, after = _frame(templates, filters, bool(table.page.rows), around())
    return varied(make_response(before + html + after))


def _has_part(version: str) -> bool:
    """Return True if htmx asks for the table, and has this version of it."""
    return is_htmx() and version in request.if_none_match


def _render_table(
    templates: str, table: Table, filters: Mapping[str, str], notice: Notice | None, version: str
) -> str:
    return render_template(
        f"{templates}/_table.html",
        page=table.page,
        rows_html=table.rows_html,
        notice=notice,
        version=version,
        filters=filters,
        current_user=current_user._get_current_object(),
        **table.shown,
    )


def _frame(
    templates: str, filters: Mapping[str, str], any_rows: bool, around: Around
) -> tuple[str, str]:
    """Return the HTML before and after the table; rendering it takes as long as the table."""
    token = session.get("csrf_token")
    items = tuple(filters.items())
    # Flashed messages are shown once; a session without a token gets one by the rendering.
    if around.key is None or token is None or "_flashes" in session:
        return _render_frame(templates, items, any_rows, around)
    person = tuple(vars(current_user._get_current_object()).items())
    return _kept_frame(templates, items, any_rows, around, person, token, request.script_root)


@lru_cache(maxsize=MOST_FRAMES)
def _kept_frame(
    templates: str,
    filters: tuple[tuple[str, str], ...],
    any_rows: bool,
    around: Around,
    _person: tuple[tuple[str, Hashable], ...],
    _token: str,
    _script_root: str,
) -> tuple[str, str]:
    return _render_frame(templates, filters, any_rows, around)


def _render_frame(
    templates: str, filters: tuple[tuple[str, str], ...], any_rows: bool, around: Around
) -> tuple[str, str]:
    html = render_template(
        f"{templates}/index.html",
        table=PLACEHOLDER,
        filters=dict(filters),
        any_rows=any_rows,
        current_user=current_user._get_current_object(),
        **around.parts,
    )
    before, _, after = html.partition(PLACEHOLDER)
    return before, after


def _list_url(filters: Mapping[str, str]) -> str:
    """URL of the first page of this list with these filters."""
    return url_for(str(request.endpoint), _external=False, **filters)


def _not_modified(version: str) -> Response:
    response = Response(status=304)
    response.set_etag(version)
    return varied(response)


def is_htmx() -> bool:
    """Return True if htmx asks for a part of a page; going back in history needs the whole."""
    restores = "HX-History-Restore-Request" in request.headers
    return "HX-Request" in request.headers and not restores


def varied(response: Response) -> Response:
    """Tell caches that the same URL gives a page or a part of it; return `response`."""
    response.vary.add("HX-Request")
    return response


def _version(table: Table, filters: Mapping[str, str], notice: Notice | None) -> str:
    """Digest of everything that the table is rendered from.

    The templates count too: a page that was open during an upgrade gets the new table.
    """
    page = table.page
    place = (page.newer, page.older, getattr(page, "count", None))
    rest = (place, table.shown, dict(filters), notice, current_user.role)
    said = json.dumps([rest, () if table.rows_html else page.rows], default=_plain)
    digest = sha256("".join((said, *table.rows_html)).encode())
    digest.update(_templates_digest(str(current_app.template_folder)))
    return digest.hexdigest()[:20]


def _plain(value: object) -> object:
    """Return what stands for `value` in JSON; a Row's own repr would leave out long texts."""
    if isinstance(value, Row):
        return tuple(value)
    if is_dataclass(value):
        return vars(value)
    return repr(value)


@cache
def _templates_digest(folder: str) -> bytes:
    digest = sha256(__version__.encode())
    for path in sorted(Path(folder).rglob("*.html")):
        digest.update(path.read_bytes())
    return digest.digest()
