"""Recordings over HTTP: any part of the sound, read where it is asked for."""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO

from flask import Blueprint, Response, abort, current_app, request
from flask_login import current_user

from callytics import audio, ledger, library
from callytics.facts import OPEN_STATES
from callytics.samples import pcm
from callytics.storage import Storage, StorageError
from callytics.web import audit
from callytics.web.aside import aside
from callytics.web.file_names import attachment, file_name
from callytics.web.kept import unless_written
from callytics.web.ranges import (
    UnsatisfiableError,
    Version,
    precondition,
    still_the_same,
    wanted,
)

log = logging.getLogger(__name__)

blueprint = Blueprint("audio", __name__)

# Large enough that reading costs little beside sending, small enough for a thousand listeners.
CHUNK_BYTES = 128 * 1024
# audio/basic is μ-law at 8 kHz without a header, which is what Asterisk writes.
STORED_TYPES = {"wav": "audio/wav", "ulaw": "audio/basic"}


@dataclass(frozen=True)
class Sound:
    """An open recording as it is served: perhaps a header of ours, then the file's bytes."""

    file: BinaryIO
    header: bytes
    length: int
    version: Version

    def pieces(self, first: int, stop: int) -> Iterator[bytes]:
        """The bytes from `first` up to `stop`."""
        if first < len(self.header):
            yield self.header[first:stop]
        at = max(first, len(self.header))
        while at < stop:
            many = min(CHUNK_BYTES, stop - at)
            piece = os.pread(self.file.fileno(), many, at - len(self.header))
            if not piece:
                # The length was promised: to break off is the only way left to tell the truth.
                raise StorageError("a recording became shorter while it was served")
            yield piece
            at += len(piece)


@dataclass(frozen=True)
class DecodedSound(Sound):
    """μ-law for a browser that plays none: each stored octet is served as two of PCM."""

    def pieces(self, first: int, stop: int) -> Iterator[bytes]:
        """The bytes from `first` up to `stop`; they may begin or end within a sample."""
        if first < len(self.header):
            yield self.header[first:stop]
        at, end = (max(place - len(self.header), 0) for place in (first, stop))
        skipped, stored = at % 2, Sound(self.file, b"", self.length, self.version)
        left = end - at
        for piece in stored.pieces(at // 2, (end + 1) // 2):
            samples = pcm(piece)[skipped:][:left]
            skipped, left = 0, left - len(samples)
            yield samples


@blueprint.get("/recordings/<uid>/audio")
def play(uid: str) -> Response:
    """The sound for a player; μ-law with a header, since browsers play none without.

    With `?as=pcm` it is decoded, for those that do not play μ-law at all.
    """
    row = _row(uid)
    sound = _open(row, playable=True)
    if row.format == "ulaw" and request.args.get("as") == "pcm":
        sound = _decoded(sound)
    return _serve(row, sound, "play", {"Content-Type": "audio/wav"})


@blueprint.get("/recordings/<uid>/download")
def download(uid: str) -> Response:
    """The stored bytes, under a name that tells what they are."""
    row = _row(uid)
    headers = {
        "Content-Type": STORED_TYPES[row.format],
        "Content-Disposition": attachment(file_name(row)),
    }
    return _serve(row, _open(row, playable=False), "download", headers)


def _row(uid: str) -> Any:
    row = unless_written(library.recording, uid)
    if row is None:
        abort(404, "There is no such recording. It may have been deleted.")
    if row.state in OPEN_STATES:
        abort(409, "This call is still being recorded. It can be heard as soon as it ends.")
    if row.state == "failed":
        abort(404, f"This recording has no audio: {row.state_reason or 'nothing was recorded'}.")
    return row


def _open(row: Any, playable: bool) -> Sound:
    storage: Storage = current_app.extensions["storage"]
    try:
        file = storage.open(row.path)
    except FileNotFoundError:
        _tell_missing(row, storage)
        abort(404, "The audio file is gone. An administrator can look with: flask doctor")
    except (StorageError, OSError) as error:
        log.error("recording %s cannot be opened: %s", row.uid, error)
        abort(500, "The audio file cannot be read. An administrator can look with: flask doctor")
    found = os.fstat(file.fileno())
    header = audio.ulaw_header(found.st_size) if playable and row.format == "ulaw" else b""
    modified_at = datetime.fromtimestamp(found.st_mtime, UTC)
    version = Version(f"{found.st_size:x}-{found.st_mtime_ns:x}", modified_at)
    return Sound(file, header, len(header) + found.st_size, version)


def _decoded(sound: Sound) -> Sound:
    data_bytes = 2 * (sound.length - len(sound.header))
    header = audio.pcm_header(data_bytes)
    version = Version(f"{sound.version.etag}-pcm", sound.version.modified_at)
    return DecodedSound(sound.file, header, len(header) + data_bytes, version)


def _tell_missing(row: Any, storage: Storage) -> None:
    # Without the folder itself every file would be missing, and none of them is lost.
    if row.state != "available" or storage.problem():
        return
    try:
        reason = "the file is gone from the folder"
        aside(ledger.mark_recording, row.uid, "missing", reason, seconds=audit.PATIENCE_SECONDS)
    except Exception as error:  # the page that helps must come all the same
        log.error("recording %s is missing; its row cannot say so: %r", row.uid, error)


def _serve(row: Any, sound: Sound, action: str, headers: dict[str, str]) -> Response:
    """The answer to this request; its file is closed with it, also when the client goes away."""
    prefix = current_app.extensions["callytics"].accel_redirect
    if prefix and not sound.header:
        return _hand_over(row, sound, action, {**headers, "X-Accel-Redirect": prefix + row.path})
    try:
        response = _response(sound)
        if request.method == "GET" and response.status_code in (200, 206, 304):
            audit.note(current_user.username, action, row.uid)
    except BaseException:
        sound.file.close()
        raise
    response.call_on_close(sound.file.close)
    response.headers.update(headers)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["ETag"] = sound.version.quoted
    response.last_modified = sound.version.modified_at
    return response


def _hand_over(row: Any, sound: Sound, action: str, headers: dict[str, str]) -> Response:
    """Leave a file that goes out as it is to nginx, which also knows ranges and conditions.

    Ours would speak of an ETag that the client never sees, since nginx sends its own.
    """
    sound.file.close()
    if request.method == "GET":
        audit.note(current_user.username, action, row.uid)
    return Response(headers=headers)


def _response(sound: Sound) -> Response:
    if status := precondition(request.headers, sound.version):
        return Response(status=status)
    part = None
    # Ranges are defined for GET alone; HEAD tells the whole.
    if request.method == "GET" and still_the_same(request.headers.get("If-Range"), sound.version):
        try:
            part = wanted(request.headers.get("Range"), sound.length)
        except UnsatisfiableError:
            return Response(status=416, headers={"Content-Range": f"bytes */{sound.length}"})
    first, stop = part or (0, sound.length)
    response = Response(sound.pieces(first, stop), status=206 if part else 200)
    response.content_length = stop - first
    if part:
        response.headers["Content-Range"] = f"bytes {first}-{stop - 1}/{sound.length}"
    return response
