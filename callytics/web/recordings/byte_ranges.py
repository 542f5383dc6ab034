"""Byte ranges and preconditions of a request (RFC 9110, sections 13 and 14)."""

import re
from dataclasses import dataclass
from datetime import datetime

from werkzeug.datastructures import Headers
from werkzeug.http import http_date, parse_date, parse_etags

_FIRST_LAST = re.compile(r"(\d*)-(\d*)", re.ASCII)
# More digits than any length has; Python refuses numbers of thousands of digits.
_MOST_DIGITS = 18
# A player requests one range at a time; very many are an attack.
_MOST_PARTS = 16


class UnsatisfiableError(Exception):
    """Range outside the file; the status is 416."""


@dataclass(frozen=True)
class FileVersion:
    """Validators of a file."""

    etag: str
    modified_at: datetime

    @property
    def quoted(self) -> str:
        """ETag in its header form."""
        return f'"{self.etag}"'


def requested_range(header: str | None, length: int) -> tuple[int, int] | None:
    """Return the bytes (first, stop) of a `Range` header, or None to send the whole file.

    The whole file is also sent for a malformed header, as the RFC says, and for several ranges,
    which no audio player requests. Raises UnsatisfiableError if the header is valid
    and lies outside `length` bytes.
    """
    parts = _parts(header or "")
    if not parts:
        return None
    inside = [part for part in (_inside(*p, length) for p in parts) if part is not None]
    if not inside:
        raise UnsatisfiableError
    first, stop = inside[0]
    # The last n bytes of an empty file are valid, but Content-Range cannot express them.
    return inside[0] if len(inside) == 1 and first < stop else None


def _parts(header: str) -> list[tuple[int | None, int | None]]:
    unit, equals, rest = header.partition("=")
    given = [p for p in (text.strip(" \t") for text in rest.split(",")) if p]
    if not equals or unit.strip().lower() != "bytes" or len(given) > _MOST_PARTS:
        return []
    parts = [_part(text) for text in given]
    return [] if None in parts else [p for p in parts if p is not None]


def _part(text: str) -> tuple[int | None, int | None] | None:
    match = _FIRST_LAST.fullmatch(text)
    if not match or text == "-" or max(map(len, match.groups())) > _MOST_DIGITS:
        return None
    first, last = (int(digits) if digits else None for digits in match.groups())
    if first is not None and last is not None and last < first:
        return None
    return first, last


def _inside(first: int | None, last: int | None, length: int) -> tuple[int, int] | None:
    if first is None:
        suffix = last or 0
        return (max(length - suffix, 0), length) if suffix else None
    if first >= length:
        return None
    return first, length if last is None else min(last + 1, length)


def precondition(headers: Headers, version: FileVersion) -> int | None:
    """Return the status of a failed precondition, 304 or 412, or None.

    The order is that of RFC 9110, 13.2.2: ETags before times, which have whole seconds only.
    """
    modified = version.modified_at.replace(microsecond=0)
    if "If-Match" in headers:
        if not parse_etags(headers["If-Match"]).contains(version.etag):
            return 412
    elif (since := parse_date(headers.get("If-Unmodified-Since"))) and modified > since:
        return 412
    if "If-None-Match" in headers:
        return 304 if parse_etags(headers["If-None-Match"]).contains_weak(version.etag) else None
    since = parse_date(headers.get("If-Modified-Since"))
    return 304 if since and modified <= since else None


def if_range_matches(if_range: str | None, version: FileVersion) -> bool:
    """Return True without `If-Range`, or if it names this version; a weak ETag never does."""
    if if_range is None:
        return True
    return if_range.strip() in (version.quoted, http_date(version.modified_at))
