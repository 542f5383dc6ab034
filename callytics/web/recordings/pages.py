"""The library: the list of recordings, one recording, and deleting one."""

import time
from dataclasses import replace
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import current_user
from jinja2 import Environment
from markupsafe import Markup
from werkzeug.wrappers import Response

from callytics.calls import library as call_library
from callytics.clock import utc_now
from callytics.database.engine import db
from callytics.database.paging import CursorError
from callytics.recordings import library, notes
from callytics.recordings.deletion import DeletionError, delete_recording
from callytics.search import saved_searches
from callytics.search.counting import Count, extend_count, known_count
from callytics.search.engine import SearchPage, find
from callytics.search.filters import Filters
from callytics.web.auth.access import POLL_HEADER, admin_required
from callytics.web.http import formatting
from callytics.web.http.cached_until_write import cached_until_write
from callytics.web.http.list_pages import Around, Table, is_htmx, list_response, varied
from callytics.web.http.offload import counts, run_with_deadline, searches
from callytics.web.recordings.search_form import LABELS, NAMES, SearchForm, parse_search
from callytics.web.recordings.waveforms import shape_of

blueprint = Blueprint("recordings", __name__)

# Far longer than any search takes by its bounds; a disk that hangs is told of.
PATIENCE_SECONDS = 10.0
# Counting comes after the page, and says how far it came.
COUNTING_SECONDS = 4.0
# Some 3 kB each.
MOST_ROWS = 2000
NAMES_SECONDS = 60
# More names than this are typed sooner than chosen.
MOST_OFFERED = 200


@blueprint.get("/")
def home() -> Response:
    """The library is where everybody begins."""
    return redirect(url_for("recordings.index"))


@blueprint.get("/recordings")
def index() -> Response:
    """A page of what is asked for; an address with something wrong comes back with its fields."""
    form = parse_search(request.args, utc_now())
    if form.problems:
        return _unusable(form)
    # A form without JavaScript sends its empty fields too; the address shall hold what counts.
    if not is_htmx() and any(name in NAMES and not text for name, text in request.args.items()):
        return redirect(url_for("recordings.index", **form.query))
    counted = known_count(form.filters)
    response = list_response(
        "recordings",
        lambda: _table(form, counted),
        form.query,
        depends_on=(form.filters, counted),
        around=lambda: _around(form),
    )
    return _with_address(response, form) if is_htmx() else response


def _table(form: SearchForm, counted: Count | None) -> Table:
    cursors = request.args.get("after"), request.args.get("before")
    try:
        # Several people look at the same newest page; it is searched once.
        page = cached_until_write(_search, form.filters, *cursors)
        page = replace(page, count=_better(page.count, counted, form.filters))
    except CursorError:
        abort(400, "There is no such place in the list. Begin with the newest.")
    except TimeoutError:
        abort(503, "The search took too long. Choose fewer days, or try again in a minute.")
    loosen, is_complete = _loosen(form) if _is_nothing(page, form) else ([], True)
    shown = {"form": form, "loosen": loosen}
    is_admin, templates = current_user.is_admin, current_app.jinja_env
    html = [row_html(row, is_admin, templates) for row in page.rows]
    return Table(page, shown, html, holds_until_write=is_complete and "count" not in request.args)


def _search(filters: Filters, after: str | None, before: str | None) -> SearchPage:
    if not filters.is_narrowed and db.engine.dialect.name == "sqlite":
        # A page of all is 26 steps, for which a thread is not worth its while.
        return find(filters, after, before)
    return run_with_deadline(
        find, filters, after, before, seconds=PATIENCE_SECONDS, limiter=searches
    )


def _better(count: Count, known: Count | None, filters: Filters) -> Count:
    """Return the count as it is known by now, or count on if the URL asks for that."""
    if not count.may_go_on:
        return count
    if request.args.get("count") != "all":
        return known or count
    try:
        return run_with_deadline(
            extend_count, filters, COUNTING_SECONDS, seconds=PATIENCE_SECONDS, limiter=counts
        )
    except TimeoutError:
        return replace(count, at_length=True)


def _is_nothing(page: SearchPage, form: SearchForm) -> bool:
    return not page.rows and page.is_newest and bool(form.active)


def _loosen(form: SearchForm) -> tuple[list[tuple[str, Count]], bool]:
    """Return the filters without which something is found, with the counts; True if all were tried.

    Searches end with the patience of one search.
    """
    until, found = time.monotonic() + PATIENCE_SECONDS, list[tuple[str, Count]]()
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


def _unusable(form: SearchForm) -> Response:
    """400 with all that was typed, and at each field what is wrong with it."""
    if is_htmx():
        abort(400, " ".join(f"{LABELS[k]}: {text}." for k, text in form.problems.items()))
    html = render_template("recordings/unusable.html", **_form_parts(form))
    return make_response(html, 400)


def _form_parts(form: SearchForm) -> dict[str, Any]:
    """Return what is typed in the form, and what else it offers."""
    return {
        "form": form,
        "names": _current_names(),
        "saved": cached_until_write(saved_searches.saved_searches, current_user.id),
    }


def _around(form: SearchForm) -> Around:
    """Return the form and the selection below it."""
    parts = _form_parts(form)
    return Around(parts, (tuple(form.typed.items()), parts["names"], *map(tuple, parts["saved"])))


def _current_names() -> Markup:
    return _names(int(time.monotonic() // NAMES_SECONDS), db.engine.url)


@lru_cache(maxsize=1)
def _names(_minute: int, _of: Any) -> Markup:
    """Flows, callees and tags to choose from; a new one is there a minute later."""
    flows = library.distinct_values("flow", MOST_OFFERED)
    callees = library.distinct_values("callee", MOST_OFFERED)
    parts = {"flows": flows, "callees": callees, "tags": notes.recent_tags()}
    return Markup(render_template("recordings/_names.html", **parts))


@lru_cache(maxsize=MOST_ROWS)
def row_html(row: Any, is_admin: bool, templates: Environment) -> Markup:
    """Return a row of the table; most are shown again and again, and take half of a page's time.

    `row` is compared by all its values, its uid among them.
    """
    # A macro costs a quarter less than a template, which gathers all that templates may use.
    macros: Any = templates.get_template("recordings/_row.html").module
    return Markup(macros.html_of(row, is_admin))


def _with_address(response: Response, form: SearchForm) -> Response:
    """The address of what htmx shows: a new one for Back, but not one for each letter typed."""
    if POLL_HEADER in request.headers or response.status_code != 200:
        return response
    was = parse_search(dict(parse_qsl(_current_query())), utc_now()).query
    typing = (
        was.get("q")
        and form.query.get("q")
        and form.without("q") == {k: v for k, v in was.items() if k != "q"}
    )
    name = "HX-Replace-Url" if typing or was == form.query else "HX-Push-Url"
    response.headers[name] = url_for("recordings.index", **form.query)
    return response


def _current_query() -> str:
    return urlsplit(request.headers.get("HX-Current-URL", "")).query


@blueprint.get("/recordings/<uid>")
def show(uid: str) -> str:
    """One recording: its facts, its player, its call."""
    row = _find(uid)
    call = call_library.call(row.call_uid) if row.call_uid else None
    others = library.recordings_of_calls([row.call_uid]) if call else ()
    parts = {"shape": shape_of(row), "added": notes.annotations_of(uid)}
    return render_template("recordings/show.html", row=row, call=call, others=others, **parts)


@blueprint.get("/recordings/<uid>/player")
def player(uid: str) -> str | Response:
    """The player that htmx puts below a row."""
    row = _find(uid)
    if not is_htmx():
        return redirect(url_for("recordings.show", uid=uid))
    return render_template(
        "recordings/_player.html", row=row, shape=shape_of(row), added=notes.annotations_of(uid)
    )


@blueprint.get("/recordings/<uid>/delete")
@admin_required
def ask(uid: str) -> Response:
    """The question, below the row for htmx, else as a page."""
    return _question(_find(uid))


@blueprint.post("/recordings/<uid>/delete")
@admin_required
def delete(uid: str) -> Response:
    """Delete, or ask again with the reason why it could not be done."""
    row = _find(uid)
    try:
        delete_recording(current_app.extensions["storage"], row, current_user.username)
    except DeletionError as error:
        return _question(row, str(error))
    said = f"The recording of {formatting.caller(row)} to {formatting.callee(row)} is deleted."
    if is_htmx():
        return make_response(render_template("recordings/_deleted.html", said=said))
    flash(said)
    return redirect(url_for("recordings.index"), 303)


def _question(row: Any, problem: str | None = None) -> Response:
    template = "recordings/_confirm_delete.html" if is_htmx() else "recordings/delete.html"
    response = make_response(render_template(template, row=row, problem=problem))
    if problem:
        response.status_code = 409
        # In place of the question that was answered, not where other errors are shown.
        response.headers.update({"HX-Retarget": f"#ask-{row.uid}", "HX-Reswap": "outerHTML"})
    return varied(response)


def _find(uid: str) -> Any:
    row = library.recording(uid)
    if row is None:
        abort(404, "There is no such recording. It may have been deleted.")
    return row
