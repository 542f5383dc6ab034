"""Ranged audio responses: only the requested part of a file is read."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO, NamedTuple
from wsgiref.types import WSGIEnvironment

from werkzeug.datastructures import EnvironHeaders
from werkzeug.http import http_date

from callytics.audio import wav
from callytics.audio.samples import pcm
from callytics.storage.folder import Storage, StorageError
from callytics.web.recordings.byte_ranges import (
    FileVersion,
    UnsatisfiableError,
    if_range_matches,
    precondition,
    requested_range,
)

# Large enough to read efficiently, small enough for the memory of a thousand responses.
CHUNK_BYTES = 128 * 1024


@dataclass(frozen=True)
class Sound:
    """Open recording as it is sent: a header for μ-law, then the bytes of the file."""

    file: BinaryIO
    header: bytes
    length: int
    version: FileVersion

    def pieces(self, first: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `first` up to `stop`."""
        if first < len(self.header):
            yield self.header[first:stop]
        at = max(first, len(self.header))
        while at < stop:
            many = min(CHUNK_BYTES, stop - at)
            piece = os.pread(self.file.fileno(), many, at - len(self.header))
            if not piece:
                # Content-Length has been sent already, so the connection has to be closed.
                raise StorageError("a recording became shorter while it was served")
            yield piece
            at += len(piece)


@dataclass(frozen=True)
class DecodedSound(Sound):
    """Decoded μ-law, for browsers that do not play it: two bytes of PCM for each stored byte."""

    def pieces(self, first: int, stop: int) -> Iterator[bytes]:
        """Yield the bytes from `first` up to `stop`, each of which may be inside a sample."""
        if first < len(self.header):
            yield self.header[first:stop]
        at, end = (max(place - len(self.header), 0) for place in (first, stop))
        skipped, stored = at % 2, Sound(self.file, b"", self.length, self.version)
        left = end - at
        for piece in stored.pieces(at // 2, (end + 1) // 2):
            samples = pcm(piece)[skipped:][:left]
            skipped, left = 0, left - len(samples)
            yield samples


class Answer(NamedTuple):
    """Status, headers and body of a response."""

    status: int
    headers: list[tuple[str, str]]
    body: Iterable[bytes]


@dataclass(frozen=True)
class ServedFile:
    """Stored file, and the form in which it is sent."""

    storage: Storage
    path: str
    # "stored", "ulaw" for μ-law after a header, or "pcm" for decoded μ-law.
    form: str
    # Internal location in nginx of the files, if nginx sends them.
    accel_redirect: str | None
    headers: dict[str, str]

    def answer(self, environ: WSGIEnvironment) -> Answer:
        """Return the response to a request. Closing its body closes the file.

        Raises FileNotFoundError, StorageError, OSError.
        """
        sound = self._open()
        if self.accel_redirect and self.form == "stored":
            # nginx handles ranges and conditions itself, with an ETag of its own.
            sound.file.close()
            redirect = ("X-Accel-Redirect", self.accel_redirect + self.path)
            return Answer(200, [*self.headers.items(), redirect, ("Content-Length", "0")], [])
        try:
            status, headers, part = _part(environ, sound)
            body = _body(environ, sound, part)
        except BaseException:
            sound.file.close()
            raise
        return Answer(status, [*self.headers.items(), *headers], body)

    def _open(self) -> Sound:
        file = self.storage.open(self.path)
        found = os.fstat(file.fileno())
        etag = f"{found.st_size:x}-{found.st_mtime_ns:x}"
        modified_at = datetime.fromtimestamp(found.st_mtime, UTC)
        if self.form == "pcm":
            header, size = wav.pcm_header(2 * found.st_size), 2 * found.st_size
            version = FileVersion(f"{etag}-pcm", modified_at)
            return DecodedSound(file, header, len(header) + size, version)
        header = wav.ulaw_header(found.st_size) if self.form == "ulaw" else b""
        return Sound(file, header, len(header) + found.st_size, FileVersion(etag, modified_at))


class _Pieces:
    """Response body that closes its file."""

    def __init__(self, file: BinaryIO, pieces: Iterator[bytes]) -> None:
        self._file, self._pieces = file, pieces

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def _body(environ: WSGIEnvironment, sound: Sound, part: tuple[int, int]) -> Iterable[bytes]:
    """Return the body with the bytes of `part` (first, stop); closing it closes the file."""
    first, stop = part
    if first == stop or sound.header or "wsgi.file_wrapper" not in environ:
        return _Pieces(sound.file, sound.pieces(first, stop))
    # The server sends from the position of the file, Content-Length bytes.
    sound.file.seek(first)
    return environ["wsgi.file_wrapper"](sound.file)  # type: ignore[no-any-return]


def _part(
    environ: WSGIEnvironment, sound: Sound
) -> tuple[int, list[tuple[str, str]], tuple[int, int]]:
    """Return status, headers and the part to send (first, stop)."""
    asked, is_get = EnvironHeaders(environ), environ["REQUEST_METHOD"] == "GET"
    headers = [
        ("Accept-Ranges", "bytes"),
        ("ETag", sound.version.quoted),
        ("Last-Modified", http_date(sound.version.modified_at)),
    ]
    if status := precondition(asked, sound.version):
        return status, headers, (0, 0)
    part = None
    # Ranges are defined for GET only; HEAD describes the whole file.
    if is_get and if_range_matches(asked.get("If-Range"), sound.version):
        try:
            part = requested_range(asked.get("Range"), sound.length)
        except UnsatisfiableError:
            nowhere = ("Content-Range", f"bytes */{sound.length}")
            return 416, [*headers, nowhere, ("Content-Length", "0")], (0, 0)
    first, stop = part or (0, sound.length)
    headers.append(("Content-Length", str(stop - first)))
    if part:
        headers.append(("Content-Range", f"bytes {first}-{stop - 1}/{sound.length}"))
    return 206 if part else 200, headers, (first, stop)
