"""Notes and tags of a recording: anybody adds them, their author or an administrator deletes."""

import logging

from flask import (
    Blueprint,
    abort,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import current_user
from werkzeug.wrappers import Response

from callytics.recordings import notes
from callytics.recordings.facts import KEEP_TAG
from callytics.recordings.facts_files import write_kept
from callytics.recordings.library import RecordingRow
from callytics.recordings.notes import AnnotationRow
from callytics.web.http.list_pages import is_htmx
from callytics.web.http.offload import run_on_disk
from callytics.web.recordings.lookup import recording_or_404

log = logging.getLogger(__name__)

blueprint = Blueprint("notes", __name__)

DISK_SECONDS = 2.0


@blueprint.post("/recordings/<uid>/notes")
def add_note(uid: str) -> Response | str:
    """Add a note; a time at its beginning is its position in the audio."""
    row = recording_or_404(uid)
    try:
        notes.add_note(uid, request.form.get("text", ""), current_user.actor)
    except notes.NoteError as error:
        abort(400, str(error))
    return _answer(row, "The note is kept.", "note")


@blueprint.post("/recordings/<uid>/notes/<int:note_id>/delete")
def delete_note(uid: str, note_id: int) -> Response | str:
    """Delete a note."""
    row, note = recording_or_404(uid), notes.note(note_id)
    if note is not None and note.recording_uid == uid:
        _refuse_others(note)
        notes.delete_note(note, current_user.actor)
    return _answer(row, "The note is deleted.", "note")


@blueprint.post("/recordings/<uid>/tags")
def add_tag(uid: str) -> Response | str:
    """Add a tag."""
    row = recording_or_404(uid)
    try:
        name = notes.add_tag(uid, request.form.get("tag", ""), current_user.actor)
    except notes.NoteError as error:
        abort(400, str(error))
    if name == KEEP_TAG and not _write_kept(row, keep=True):
        return _answer(row, f"Tagged {name}; its facts file follows within a day.", "tag")
    return _answer(row, f"Tagged {name}.", "tag")


@blueprint.post("/recordings/<uid>/tags/remove")
def remove_tag(uid: str) -> Response | str:
    """Remove a tag."""
    row, tag = recording_or_404(uid), notes.tag(uid, notes.tag_name(request.form.get("tag", "")))
    if tag is not None:
        _refuse_others(tag)
        # The facts come first: while they say `keep`, the tag would be restored.
        if tag.tag == KEEP_TAG and not _write_kept(row, keep=False):
            abort(503, "The facts file cannot be written, so the tag stays. Try again later.")
        notes.remove_tag(tag, current_user.actor)
    return _answer(row, "The tag is removed.", "tag")


def may_delete(added: AnnotationRow) -> bool:
    """Return True if this person may delete a note or tag: their own, or any as administrator."""
    return bool(current_user.is_admin or added.user_id == current_user.id)


@blueprint.app_context_processor
def _for_templates() -> dict[str, object]:
    return {"may_delete": may_delete, "recent_tags": notes.recent_tags}


def _refuse_others(added: AnnotationRow) -> None:
    if not may_delete(added):
        abort(403, "Only who wrote it or an administrator can delete this.")


def _write_kept(row: RecordingRow, keep: bool) -> bool:
    """Write the tag `keep` into the facts file; return False if that fails."""
    storage = current_app.extensions["storage"]
    try:
        run_on_disk(write_kept, storage, row.path, keep, seconds=DISK_SECONDS)
    except (TimeoutError, OSError) as error:
        log.warning("recording %s: its facts cannot say whether it is kept: %s", row.uid, error)
        return False
    return True


def _answer(row: RecordingRow, said: str, focus: str) -> Response | str:
    if not is_htmx():
        flash(said)
        return redirect(url_for("recordings.show", uid=row.uid, _anchor=f"notes-{row.uid}"), 303)
    parts = {"added": notes.annotations_of(row.uid), "said": said, "focus": focus}
    return render_template("recordings/_notes.html", row=row, **parts)
