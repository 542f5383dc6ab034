"""Pause and resume buttons of a recording in progress, such as for a spoken card number."""

import logging
from time import monotonic

import gevent
from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from callytics.ari.commands import Ari, AriError
from callytics.ari.pause_request import Action, request_pause
from callytics.audit import access_log
from callytics.recordings.facts import OPEN_STATES
from callytics.recordings.library import RecordingRow
from callytics.recordings.pauses import is_paused
from callytics.web.http.list_pages import is_htmx
from callytics.web.http.offload import run_with_deadline
from callytics.web.recordings.lookup import recording_or_404

log = logging.getLogger(__name__)

blueprint = Blueprint("pausing", __name__)

# Longest wait for Asterisk to confirm, and the interval of the checks.
CONFIRM_SECONDS, LOOK_SECONDS = 3.0, 0.1
LOG_SECONDS = 1.0

OVER = "This recording has ended meanwhile."
NEVER = "A voicemail cannot be paused."
NOT_CONFIRMED = {
    "pause": "Not confirmed: it may still be recording. Try again, or wait until it says Paused.",
    "resume": "Not confirmed: it may still be paused. Try again, or wait until it says Recording.",
}
SAID = {
    "pause": "Paused: what is said now is not recorded.",
    "resume": "Recording again.",
}


@blueprint.post("/recordings/<uid>/pause")
def pause(uid: str) -> Response | str:
    """Pause a recording."""
    return _change(uid, "pause")


@blueprint.post("/recordings/<uid>/resume")
def resume(uid: str) -> Response | str:
    """Resume a recording."""
    return _change(uid, "resume")


def _change(uid: str, action: Action) -> Response | str:
    row = recording_or_404(uid)
    problem = _problem(row)
    if not problem and not _is_done(row, action):
        _log(action, uid)
        problem = _carry_out(row, action)
        if problem:
            _log(action, uid, f"{access_log.FAILED}{problem}")
        row = recording_or_404(uid)
    said = "" if problem else SAID[action]
    if is_htmx():
        # The row of the live list stays, so it can show the problem; other pages are replaced in
        # two seconds, and show it among their messages.
        stays = request.form.get("back") == "live"
        parts = {"row": row, "problem": problem, "said": said, "stays": stays}
        return render_template("calls/live/_recorder.html", **parts)
    flash(problem or said, "problem" if problem else "message")
    return redirect(_back_url(row), 303)


def _carry_out(row: RecordingRow, action: Action) -> str:
    """Ask the worker and wait until it is done; return the problem as a sentence, or ""."""
    try:
        request_pause(_ari(), row.path.rpartition(".")[0], action, current_user.username)
    except AriError as error:
        why = "No worker is connected to Asterisk" if error.gone else str(error)
        return f"{NOT_CONFIRMED[action]} {why}."
    until = monotonic() + CONFIRM_SECONDS
    while monotonic() < until:
        # gevent answers other requests meanwhile.
        gevent.sleep(LOOK_SECONDS)
        row = recording_or_404(row.uid)
        if _is_done(row, action):
            return ""
        if problem := _problem(row):
            return problem
    return NOT_CONFIRMED[action]


def _ari() -> Ari:
    """Return the ARI client that all requests share, with its connections."""
    extensions = current_app.extensions
    if "ari" not in extensions:
        extensions["ari"] = Ari(extensions["callytics"])
    ari: Ari = extensions["ari"]
    return ari


def _problem(row: RecordingRow) -> str:
    if row.state not in OPEN_STATES:
        return OVER
    return NEVER if row.kind == "voicemail" else ""


def _is_done(row: RecordingRow, action: Action) -> bool:
    return is_paused(row.pauses) == (action == "pause")


def _log(action: Action, uid: str, detail: str = "") -> None:
    """Write the audit entry; a slow database does not delay the pause."""
    try:
        run_with_deadline(
            access_log.log_access, current_user.actor, action, uid, detail, seconds=LOG_SECONDS
        )
    except Exception as error:  # of any kind: the pause must not fail with it
        log.error("audit: %s of %s may not be kept: %r", action, uid, error)


def _back_url(row: RecordingRow) -> str:
    """Return the URL of the page whose button was pressed."""
    back = request.form.get("back")
    if back == "live":
        return url_for("live.index")
    if back == "call":
        return url_for("calls.show", uid=row.call_uid)
    return url_for("recordings.show", uid=row.uid)
