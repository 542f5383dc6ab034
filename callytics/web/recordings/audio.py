"""Audio endpoints: a recording for the player and as a download, with their audit entries.

Every request, also for the next part of a recording, passes the sign-in check, the lookup of the
recording and the audit.
"""

import logging

from flask import Blueprint, Response, abort, current_app, request
from flask_login import current_user

from callytics.recordings import ledger, library
from callytics.recordings.facts import OPEN_STATES
from callytics.recordings.folder_identity import load_identity
from callytics.recordings.library import RecordingRow
from callytics.storage.folder import Storage, StorageError
from callytics.web.http import disk
from callytics.web.http.cached_until_write import cached_until_write
from callytics.web.http.error_pages import NoAuditError
from callytics.web.http.offload import run_with_deadline
from callytics.web.recordings import listening_log
from callytics.web.recordings.audio_response import Answer, ServedFile
from callytics.web.recordings.file_names import attachment, file_name
from callytics.web.recordings.lookup import found_or_404

log = logging.getLogger(__name__)

blueprint = Blueprint("audio", __name__)

# Longest wait for the row of a file that is gone.
MARK_SECONDS = 1.0
# audio/basic is μ-law at 8 kHz without a header, as Asterisk writes it.
STORED_TYPES = {"wav": "audio/wav", "ulaw": "audio/basic"}


@blueprint.get("/recordings/<uid>/audio")
def play(uid: str) -> Response:
    """Send the audio to a player; μ-law gets a header, without which browsers do not play it.

    `?as=pcm` decodes it, for browsers that do not play μ-law.
    """
    row = _playable(uid)
    form = "stored"
    if row.format == "ulaw":
        form = "pcm" if request.args.get("as") == "pcm" else "ulaw"
    return _serve(row, "play", form, {"Content-Type": "audio/wav"})


@blueprint.get("/recordings/<uid>/download")
def download(uid: str) -> Response:
    """Send the stored bytes as an attachment."""
    row = _playable(uid)
    headers = {
        "Content-Type": STORED_TYPES[row.format],
        "Content-Disposition": attachment(file_name(row)),
    }
    return _serve(row, "download", "stored", headers)


def _playable(uid: str) -> RecordingRow:
    """Return the row of a recording that has ended; abort with 404 or 409 for any other."""
    # A player requests one part after the other.
    row = found_or_404(cached_until_write(library.recording, uid))
    if row.state in OPEN_STATES:
        abort(409, "This call is still being recorded. It can be heard as soon as it ends.")
    if row.state == "failed":
        abort(404, f"This recording has no audio: {row.state_reason or 'nothing was recorded'}.")
    return row


def _serve(row: RecordingRow, action: str, form: str, headers: dict[str, str]) -> Response:
    prefix = current_app.extensions["callytics"].accel_redirect
    answer = _answer(ServedFile(disk.storage(), row.path, form, prefix, headers), row)
    if request.method == "GET" and answer.status in (200, 206, 304):
        _note(answer, action, row.uid)
    return Response(answer.body, answer.status, answer.headers, direct_passthrough=True)


def _note(answer: Answer, action: str, uid: str) -> None:
    """Write the audit entry; without it nothing is sent."""
    try:
        listening_log.note(current_user.actor, action, uid)
    except listening_log.UnloggedError as error:
        if close := getattr(answer.body, "close", None):
            close()
        raise NoAuditError from error


def _answer(served: ServedFile, row: RecordingRow) -> Answer:
    try:
        return served.answer(request.environ)
    except FileNotFoundError:
        _mark_missing(row, served.storage)
        abort(404, "The audio file is gone. An administrator can look with: flask doctor")
    except (StorageError, OSError) as error:
        log.error("recording %s cannot be opened: %s", row.uid, error)
        abort(500, "The audio file cannot be read. An administrator can look with: flask doctor")


def _is_away(storage: Storage) -> bool:
    """Return True if the folder is missing, or another one is in its place."""
    load_identity(storage)
    return storage.problem() is not None


def _mark_missing(row: RecordingRow, storage: Storage) -> None:
    # While the folder is away every file is missing, and none is lost.
    if row.state != "available" or _is_away(storage):
        return
    try:
        reason = "the file is gone from the folder"
        run_with_deadline(
            ledger.mark_recording,
            row.uid,
            "missing",
            reason,
            seconds=MARK_SECONDS,
        )
    except Exception as error:  # of any kind: the page with advice must come
        log.error("recording %s is missing; its row cannot say so: %r", row.uid, error)
