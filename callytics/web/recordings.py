"""The library: the list of recordings, one recording, and deleting one."""

from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    url_for,
)
from flask_login import current_user
from werkzeug.wrappers import Response

from callytics import call_library, library, notes
from callytics.deletion import DeletionError, delete_recording
from callytics.web import words
from callytics.web.access import admin_required
from callytics.web.lists import answer, asked_page, is_htmx, varied
from callytics.web.waveforms import shape_of

blueprint = Blueprint("recordings", __name__)


@blueprint.get("/")
def home() -> Response:
    """The library is where everybody begins."""
    return redirect(url_for("recordings.index"))


@blueprint.get("/recordings")
def index() -> Response:
    """A page of the list."""
    return answer("recordings", asked_page(library.RECORDINGS), {})


@blueprint.get("/recordings/<uid>")
def show(uid: str) -> str:
    """One recording: its facts, its player, its call."""
    row = _find(uid)
    call = call_library.call(row.call_uid) if row.call_uid else None
    others = library.recordings_of_calls([row.call_uid]) if call else ()
    parts = {"shape": shape_of(row), "added": notes.of(uid)}
    return render_template("recordings/show.html", row=row, call=call, others=others, **parts)


@blueprint.get("/recordings/<uid>/player")
def player(uid: str) -> str | Response:
    """The player that htmx puts below a row."""
    row = _find(uid)
    if not is_htmx():
        return redirect(url_for("recordings.show", uid=uid))
    return render_template(
        "recordings/_player.html", row=row, shape=shape_of(row), added=notes.of(uid)
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
    said = f"The recording of {words.caller(row)} to {words.callee(row)} is deleted."
    if is_htmx():
        return make_response(render_template("recordings/_deleted.html", said=said))
    flash(said)
    return redirect(url_for("recordings.index"), 303)


def _question(row: Any, problem: str | None = None) -> Response:
    template = "recordings/_ask.html" if is_htmx() else "recordings/delete.html"
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
