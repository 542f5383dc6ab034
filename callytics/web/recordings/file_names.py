"""File names of downloads."""

import unicodedata
from urllib.parse import quote

from callytics.recordings.library import RecordingRow

# File systems allow 255 bytes; a letter may take four of them.
_LONGEST_PART = 25


def file_name(row: RecordingRow) -> str:
    """Return a name of date and time (UTC), caller, callee, kind and format of a recording.

    Only letters, digits and `+-_.` of a caller's text are kept.
    """
    caller = f"{row.caller_name} {row.caller_number}"
    parts = (caller, row.callee or row.dialed_number, row.kind)
    said = "_".join(_plain(part) for part in parts)
    return f"{row.started_at:%Y-%m-%d_%H%M%SZ}_{said}.{_plain(row.format)}"


def attachment(name: str) -> str:
    """Return the `Content-Disposition` for `name`, with an ASCII form for old clients."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='+')}"


def _plain(text: str) -> str:
    letters = (c if _is_plain(c) else " " for c in unicodedata.normalize("NFC", text))
    return "-".join("".join(letters).split())[:_LONGEST_PART].strip("-") or "unknown"


def _is_plain(character: str) -> bool:
    # Letters with their marks, and digits: no control of the text direction, no line end in a
    # header, no path separator.
    return character == "+" or unicodedata.category(character)[0] in "LMN"
