"""What a recording is called on the disk of whoever downloads it."""

import unicodedata
from typing import Any
from urllib.parse import quote

# File systems allow 255 bytes; a letter may take four of them.
_LONGEST_PART = 25


def file_name(row: Any) -> str:
    """Date and time (UTC), caller, callee and kind of a recording's row, and its format.

    Only letters, digits and `+-_.` are left of what callers send as their name.
    """
    caller = f"{row.caller_name} {row.caller_number}"
    parts = (caller, row.callee or row.dialed_number, row.kind)
    said = "_".join(_plain(part) for part in parts)
    return f"{row.started_at:%Y-%m-%d_%H%M%SZ}_{said}.{_plain(row.format)}"


def attachment(name: str) -> str:
    """The `Content-Disposition` that saves as `name`, also where only ASCII is understood."""
    ascii_name = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='+')}"


def _plain(text: str) -> str:
    letters = (c if _is_plain(c) else " " for c in unicodedata.normalize("NFC", text))
    return "-".join("".join(letters).split())[:_LONGEST_PART].strip("-") or "unknown"


def _is_plain(character: str) -> bool:
    # Letters, the marks that belong to them, and digits: nothing that is written right to left
    # by command, ends a header's line or names a folder.
    return character == "+" or unicodedata.category(character)[0] in "LMN"
