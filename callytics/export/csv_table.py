"""CSV table of recordings, after RFC 4180."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from callytics.recordings import notes, pauses
from callytics.recordings.facts import COLUMNS as FACTS_COLUMNS
from callytics.recordings.library import RecordingRow

FACTS = (*FACTS_COLUMNS, "sha256")
# The facts, then pauses, tags and notes.
COLUMNS = (*FACTS, "pauses", "tags", "notes")
# Byte order mark, without which spreadsheets do not read a file as UTF-8.
BEGIN = "\ufeff"

# Callers choose their own names, so a name could run a formula on the computer of a reviewer. Also
# a part of a cell could: many spreadsheets split lines at semicolons or tabs, whatever is quoted.
_SEPARATORS = r";,|\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029"
_BLANKS = rf"(?:(?![{_SEPARATORS}])[\s\"])*"
_SIGN = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"
_FORMULA = re.compile(rf"(^|[{_SEPARATORS}])(?={_BLANKS}{_SIGN})")
# A number with a sign is no formula.
_NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)
# A cell that begins with one of these is marked too: what comes after it begins a line.
_BEGINS_LINE = re.compile(r"[\t\r\n]")


def head(columns: Sequence[str]) -> bytes:
    """Return the header line in UTF-8, after a byte order mark."""
    return (BEGIN + _line(columns)).encode()


def line(values: Iterable[object]) -> bytes:
    """Return a line in UTF-8; an apostrophe marks each part of text that would be a formula."""
    return _line([_cell(value) for value in values]).encode(errors="replace")


def facts(row: RecordingRow, checksums: Mapping[str, str | None]) -> list[object]:
    """Return the values of FACTS for a recording's row, then its pauses in words."""
    known = (getattr(row, name) for name in FACTS[:-1])
    return [*known, checksums.get(row.uid), "\n".join(map(_pause, pauses.confirmed(row.pauses)))]


def added(uid: str, known: Mapping[str, notes.Annotations]) -> list[str]:
    """Return the tags and the notes of a recording as two values."""
    said = known.get(uid, notes.Annotations())
    lines = [" ".join((*_mark(n.at_ms), n.text, f"({n.username})")) for n in said.notes]
    return [", ".join(tag.tag for tag in said.tags), "\n".join(lines)]


def _pause(span: pauses.PausedSpan) -> str:
    long = "" if span.duration_ms is None else f" for {notes.mark(span.duration_ms)}"
    return f"{notes.mark(span.at_ms or 0)} paused{long} by {span.by or 'somebody'}"


def _mark(at_ms: int | None) -> list[str]:
    return [] if at_ms is None else [notes.mark(at_ms)]


def _line(values: Sequence[object]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(values)
    return text.getvalue()


def _cell(value: object) -> str:
    if value is None:
        return ""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    text = text.replace("\0", "")
    if _NUMBER.fullmatch(text):
        return text
    text = _FORMULA.sub(r"\1'", text)
    return f"'{text}" if _BEGINS_LINE.match(text) else text
