"""Calls that somebody starts from a page."""

from flask import Blueprint, current_app, flash, redirect, url_for
from werkzeug.wrappers import Response

from callytics.ari import AriError
from callytics.placing import place_test_call
from callytics.web.access import admin_required

blueprint = Blueprint("calls", __name__)


@blueprint.post("/test-call")
@admin_required
def test_call() -> Response:
    """Ring through the sample flow; its recording appears in the library by itself."""
    try:
        place_test_call(current_app.extensions["callytics"])
    except AriError as error:
        flash(f"The test call could not be placed. {error}", "problem")
    else:
        flash("The test call is on its way. Its recording appears here by itself.")
    return redirect(url_for("recordings.index"), 303)
