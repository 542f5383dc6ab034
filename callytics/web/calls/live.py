"""Live page: calls in progress, with step, time and recording."""

from collections import defaultdict

from flask import Blueprint
from werkzeug.wrappers import Response

from callytics.calls import library as call_library
from callytics.calls.library import IN_PROGRESS
from callytics.database.paging import Page
from callytics.queues.overview import queues_of
from callytics.recordings import library
from callytics.recordings.facts import OPEN_STATES
from callytics.recordings.library import RecordingRow
from callytics.web.calls.current_step import current_step
from callytics.web.calls.problems import problems_of
from callytics.web.http.list_pages import Table, list_response

blueprint = Blueprint("live", __name__)

# Rows of the page; the list of calls has them all.
MOST = 200


@blueprint.get("/live")
def index() -> Response:
    """Show all calls in progress, newest first."""
    return list_response("calls/live", _table, {})


def _table() -> Table:
    calls = list(call_library.calls(IN_PROGRESS).newest(MOST + 1))
    rows, uids = calls[:MOST], [row.uid for row in calls[:MOST]]
    queues = queues_of(uids)
    recordings: dict[str, list[RecordingRow]] = defaultdict(list)
    for row in library.recordings_of_calls(uids):
        recordings[row.call_uid].append(row)
    shown = {
        "where": {row.uid: current_step(row, queues.get(row.uid)) for row in rows},
        "recording": {uid: _recording_now(recordings[uid]) for uid in uids},
        "problems": {row.uid: problems_of(row, recordings[row.uid]) for row in rows},
        "more": len(calls) > MOST,
    }
    return Table(Page(rows, None, None), shown)


def _recording_now(recordings: list[RecordingRow]) -> RecordingRow | None:
    """Return the open recording, or else the newest available one."""
    opened = [row for row in recordings if row.state in OPEN_STATES]
    kept = [row for row in recordings if row.state == "available"]
    return next(iter((opened or kept)[-1:]), None)
