"""Pausing a recording that goes on: somebody speaks a card number that must not be kept."""

import logging
from time import monotonic
from typing import Any

import gevent
from flask import Blueprint, abort, current_app, flash, redirect, render_template, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from callytics.ari.commands import Ari, AriError
from callytics.ari.pause_request import Action, request_pause
from callytics.audit import access_log
from callytics.recordings import library
from callytics.recordings.facts import OPEN_STATES
from callytics.recordings.pauses import is_paused
from callytics.web.http.list_pages import is_htmx
from callytics.web.http.offload import run_with_deadline

log = logging.getLogger(__name__)

blueprint = Blueprint("pausing", __name__)

# How long the person who pressed the button is let wait for Asterisk's word.
CONFIRM_SECONDS, LOOK_SECONDS = 3.0, 0.1
NOTE_SECONDS = 1.0

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
    """Let a recording leave out what is said from now on."""
    return _wish(uid, "pause")


@blueprint.post("/recordings/<uid>/resume")
def resume(uid: str) -> Response | str:
    """Let it go on."""
    return _wish(uid, "resume")


def _wish(uid: str, action: Action) -> Response | str:
    row = _find(uid)
    problem = _problem(row)
    if not problem and not _is_done(row, action):
        _note(action, uid)
        problem = _carry_out(row, action)
        if problem:
            _note(action, uid, f"{access_log.FAILED}{problem}")
        row = _find(uid)
    said = "" if problem else SAID[action]
    if is_htmx():
        # Other pages are drawn anew in a moment, and say it where that does not take it away.
        stays = request.form.get("back") == "live"
        parts = {"row": row, "problem": problem, "said": said, "stays": stays}
        return render_template("calls/live/_recorder.html", **parts)
    flash(problem or said, "problem" if problem else "message")
    return redirect(_way_back(row), 303)


def _carry_out(row: Any, action: Action) -> str:
    """Ask the worker and wait for its word; what went wrong, in a sentence."""
    try:
        request_pause(_ari(), row.path.rpartition(".")[0], action, current_user.username)
    except AriError as error:
        why = "No worker is connected to Asterisk" if error.gone else str(error)
        return f"{NOT_CONFIRMED[action]} {why}."
    until = monotonic() + CONFIRM_SECONDS
    while monotonic() < until:
        # Others are answered meanwhile.
        gevent.sleep(LOOK_SECONDS)
        row = _find(row.uid)
        if _is_done(row, action):
            return ""
        if problem := _problem(row):
            return problem
    return NOT_CONFIRMED[action]


def _ari() -> Ari:
    """One for all requests, whose connections are kept."""
    extensions = current_app.extensions
    if "ari" not in extensions:
        extensions["ari"] = Ari(extensions["callytics"])
    return extensions["ari"]


def _problem(row: Any) -> str:
    if row.state not in OPEN_STATES:
        return OVER
    return NEVER if row.kind == "voicemail" else ""


def _is_done(row: Any, action: Action) -> bool:
    return is_paused(row.pauses) == (action == "pause")


def _note(action: Action, uid: str, detail: str = "") -> None:
    """Keep for the audit who did it. What must not be recorded does not wait for the database."""
    try:
        run_with_deadline(
            access_log.log_access, current_user.username, action, uid, detail, seconds=NOTE_SECONDS
        )
    except Exception as error:  # whatever the database comes up with
        log.error("audit: %s of %s may not be kept: %r", action, uid, error)


def _way_back(row: Any) -> str:
    """The page whose button was pressed."""
    back = request.form.get("back")
    if back == "live":
        return url_for("live.index")
    if back == "call":
        return url_for("calls.show", uid=row.call_uid)
    return url_for("recordings.show", uid=row.uid)


def _find(uid: str) -> Any:
    row = library.recording(uid)
    if row is None:
        abort(404, "There is no such recording. It may have been deleted.")
    return row
