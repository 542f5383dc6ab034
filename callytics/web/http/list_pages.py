"""What the lists of recordings and of calls share: their pages, and the news that htmx asks for."""

from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from typing import Any

from flask import abort, make_response, redirect, render_template, request, session, url_for
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from callytics.clock import utc_now
from callytics.database.paging import CursorError, Listing, Page
from callytics.web.http.response_cache import keep_newest, unless_written
from callytics.web.http.worker_banner import worker_notice
from callytics.workers import heartbeat

# Of some 20 kB each.
MOST_FRAMES = 200
_frames: OrderedDict[tuple[str, ...], tuple[str, str]] = OrderedDict()
# Where the table comes; no text that is shown can hold it.
PLACE = Markup("<table-comes-here>")


def asked_page(listing: Listing) -> Page:
    """The page of `listing` that the address asks for; ends the request for one there is not."""
    after, before = request.args.get("after"), request.args.get("before")
    try:
        if after is not None and before is not None:
            raise CursorError("two places at once")
        if after is not None:
            return listing.page_after(after)
        return listing.newest_page() if before is None else listing.page_before(before)
    except CursorError:
        abort(400, "There is no such place in the list. Begin with the newest.")


def answer(
    name: str,
    page: Any,
    filters: dict[str, str],
    whole: Callable[[], dict[str, Any]] = dict,
    **shown: Any,
) -> Response:
    """A page of the list `name`; for htmx only its table, or 304 when nothing in it has changed.

    `page` is a Page or like one; `filters` are what its address says besides the place; `shown`
    is what else the table shows, `whole` gives what the page shows around it, whose `repr` tells
    it apart from anything else that it may be.
    """
    if page.is_newest and "before" in request.args:
        return redirect(url_for(f"{name}.index", **filters))
    notice = worker_notice(unless_written(heartbeat.newest_worker), utc_now())
    version = _version(page, notice, shown)
    if is_htmx() and version in request.if_none_match:
        response = Response(status=304)
    else:
        parts = {"page": page, "notice": notice, "version": version, "filters": filters, **shown}
        html = render_template(f"{_folder(name)}/_table.html", **parts)
        if not is_htmx():
            before, after = _frame(
                name, {"filters": filters, "any_rows": bool(page.rows), **whole()}
            )
            html = before + html + after
        response = make_response(html)
    response.set_etag(version)
    return varied(response)


def _frame(name: str, parts: dict[str, Any]) -> tuple[str, str]:
    """What stands before and after the table; made anew only where something in it has changed.

    Making it takes longer than all the rest of a page.
    """
    token = session.get("csrf_token")
    # What is flashed is shown once; who has no token yet is given one by the page.
    if "_flashes" in session or token is None:
        return _made_frame(name, parts)
    key = (name, repr(vars(current_user._get_current_object())), token, repr(parts))
    if key not in _frames:
        keep_newest(_frames, key, _made_frame(name, parts), MOST_FRAMES)
    return _frames[key]


def _made_frame(name: str, parts: dict[str, Any]) -> tuple[str, str]:
    html = render_template(f"{_folder(name)}/index.html", table=PLACE, **parts)
    before, after = html.split(PLACE)
    return before, after


def _folder(name: str) -> str:
    """The folder of a list's templates."""
    return {"live": "calls/live", "queues": "admin/queues"}.get(name, name)


def is_htmx() -> bool:
    """Whether a part of a page is asked for. Going back in time needs the whole."""
    restores = "HX-History-Restore-Request" in request.headers
    return "HX-Request" in request.headers and not restores


def varied(response: Response) -> Response:
    """Say to caches that the same address gives a page or a part of it."""
    response.vary.add("HX-Request")
    return response


def _version(page: Any, *shown: Any) -> str:
    """Changes whenever anything in the table does, and for each role."""
    rest = repr((page.newer, page.older, getattr(page, "count", None), shown, current_user.role))
    return sha256("".join((*map(_said, page.rows), rest)).encode()).hexdigest()[:20]


def _said(row: Any) -> str:
    """All that a row says; most rows are shown again and again."""
    try:
        return _kept_said(row)
    except TypeError:  # it holds a list, as the way of a call does
        return repr(row)


@lru_cache(maxsize=2000)
def _kept_said(row: Any) -> str:
    return repr(row)
