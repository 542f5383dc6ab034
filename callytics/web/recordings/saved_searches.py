"""Saved searches: save a view of the library under a name, and delete it."""

from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, flash, redirect, request
from flask_login import current_user
from werkzeug.wrappers import Response

from callytics.clock import utc_now
from callytics.search import saved_searches
from callytics.search.saved_searches import SavedSearchError
from callytics.web.recordings.search_form import library_url, parse_search

blueprint = Blueprint("saved_searches", __name__)


@blueprint.post("/searches")
def save() -> Response:
    """Save the view of the page that has the form."""
    name = " ".join(request.form.get("name", "").split())
    query = _query()
    try:
        saved_searches.save_search(current_user.id, name, urlencode(query))
    except SavedSearchError as error:
        flash(str(error), "problem")
    else:
        flash(f"Saved as {name}.")
    return redirect(library_url(query), 303)


@blueprint.post("/searches/<int:search_id>/forget")
def forget(search_id: int) -> Response:
    """Delete a search, and stay on the page."""
    saved_searches.forget_search(current_user.id, search_id)
    flash("That search is forgotten. No recording was touched.")
    return redirect(library_url(_query()), 303)


def _query() -> dict[str, str]:
    """Return the query from the form, empty if it is not one of the library."""
    typed = dict(parse_qsl(request.form.get("query", "")[:2000]))
    form = parse_search(typed, utc_now())
    return {} if form.problems else form.query
