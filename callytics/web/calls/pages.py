"""Call pages: the list, one call with its path, and the test call."""

from collections import defaultdict
from collections.abc import Iterable

from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from callytics.ari.commands import AriError
from callytics.calls import library as call_library
from callytics.calls.library import IN_PROGRESS, MOST_WITH_PROBLEM
from callytics.calls.originate import place_test_call
from callytics.clock import utc_now
from callytics.recordings import library
from callytics.recordings.library import RecordingRow
from callytics.web.auth.access import admin_required
from callytics.web.calls.problems import problems_of
from callytics.web.calls.timeline import timeline
from callytics.web.http.formatting import RESULTS_OF_CALLS
from callytics.web.http.list_pages import Around, Table, asked_page, list_response
from callytics.web.recordings.waveforms import waveform_of

blueprint = Blueprint("calls", __name__)

# Players on the page of a call; any further recordings are played on their own pages.
MOST_PLAYERS = 20


@blueprint.get("/calls")
def index() -> Response:
    """Show a page of the list, with problems and recordings of each call."""
    filters = _asked_filters()
    # Around the table the page shows only the filters.
    around = Around(key=())
    return list_response("calls", lambda: _table(filters), filters, around=lambda: around)


def _table(filters: dict[str, str]) -> Table:
    listing = call_library.calls(filters.get("disposition"), "problem" in filters)
    page = asked_page(listing)
    recordings = _by_call(library.recordings_of_calls([row.uid for row in page.rows]))
    problems = {row.uid: problems_of(row, recordings[row.uid]) for row in page.rows}
    shown = {"recordings": recordings, "problems": problems, "most": MOST_WITH_PROBLEM}
    return Table(page, shown)


@blueprint.get("/calls/<uid>")
def show(uid: str) -> str:
    """Show one call: its facts, and a timeline of its path with its recordings."""
    call = call_library.call(uid)
    if call is None:
        abort(404, "There is no such call.")
    recordings = library.recordings_of_calls([uid])
    steps, elsewhere = timeline(call, recordings, utc_now())
    # The page of a call in progress is replaced every two seconds, which would stop a player.
    playable = [row for row in recordings if row.state == "available" and call.ended_at]
    return render_template(
        "calls/show.html",
        call=call,
        steps=steps,
        elsewhere=elsewhere,
        problems=problems_of(call, recordings),
        paused=any(row.pauses for row in recordings),
        waveforms={row.uid: waveform_of(row) for row in playable[:MOST_PLAYERS]},
    )


@blueprint.post("/test-call")
@admin_required
def test_call() -> Response:
    """Place a test call through the sample flow; its recording appears in the library."""
    try:
        place_test_call(current_app.extensions["callytics"])
    except AriError as error:
        flash(f"The test call could not be placed. {error}", "problem")
    else:
        flash("The test call is on its way. Its recording appears here by itself.")
    return redirect(url_for("recordings.index"), 303)


def _asked_filters() -> dict[str, str]:
    """Return the filters of the query string without empty fields; answer 400 for unknown ones."""
    given = {name: request.args.get(name, "") for name in ("disposition", "problem")}
    filters = {name: value for name, value in given.items() if value}
    known = filters.get("disposition", IN_PROGRESS) in RESULTS_OF_CALLS
    if not known or filters.get("problem", "1") != "1":
        abort(400, "Calls cannot be filtered by that. Go to the calls and choose again.")
    return filters


def _by_call(recordings: Iterable[RecordingRow]) -> dict[str, list[RecordingRow]]:
    found: dict[str, list[RecordingRow]] = defaultdict(list)
    for row in recordings:
        found[row.call_uid].append(row)
    return found
