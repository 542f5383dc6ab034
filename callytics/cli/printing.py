"""Output of lists: JSON for scripts, lines of text for people."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from callytics.plain_text import one_line


def json_lines(rows: Iterable[object], columns: Iterable[str]) -> Iterator[str]:
    """Yield a JSON array line by line, since there may be ten million rows."""
    before, names = "[", tuple(columns)
    for row in rows:
        values = {name: getattr(row, name) for name in names}
        yield before + json.dumps(values, default=_as_text, ensure_ascii=False)
        before = ","
    yield "]" if before == "," else "[]"


def text_line(*fields: str | None) -> str:
    """Return fields separated by tabs; an empty field becomes a dash."""
    return "\t".join(one_line(field or "-") for field in fields)


def when(at: datetime) -> str:
    """Return a time to the second."""
    return f"{at:%Y-%m-%d %H:%M:%SZ}"


def length(duration_ms: int | None) -> str:
    """Return a duration as MM:SS, or an empty text for None."""
    if duration_ms is None:
        return ""
    return f"{duration_ms // 60000:02}:{duration_ms // 1000 % 60:02}"


def _as_text(value: datetime) -> str:
    return value.isoformat()
