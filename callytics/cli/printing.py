"""Output of lists: JSON for scripts, a line each for people."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any


def json_lines(rows: Iterable[Any], columns: Iterable[str]) -> Iterator[str]:
    """An array that is printed while it is read: there may be ten million."""
    before, names = "[", tuple(columns)
    for row in rows:
        values = {name: getattr(row, name) for name in names}
        yield before + json.dumps(values, default=_as_text, ensure_ascii=False)
        before = ","
    yield "]" if before == "," else "[]"


def text_line(*fields: str | None) -> str:
    """Fields with tabs between them; one that is empty is a dash."""
    return "\t".join(one_line(field or "-") for field in fields)


def when(at: datetime) -> str:
    """A time to the second."""
    return f"{at:%Y-%m-%d %H:%M:%SZ}"


def length(duration_ms: int | None) -> str:
    """Minutes and seconds, or nothing."""
    if duration_ms is None:
        return ""
    return f"{duration_ms // 60000:02}:{duration_ms // 1000 % 60:02}"


def one_line(text: str) -> str:
    """`text` on one line: a caller chooses their own name, and must not color the terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _as_text(value: datetime) -> str:
    return value.isoformat()
