"""`flask recordings …`: the library on the command line."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import click

from callytics import library
from callytics.cli.commands import Commands

group = Commands("recordings", help="The recordings in the library.")

# What scripts rely on, in this order.
COLUMNS = (
    *("uid", "kind", "direction", "state", "state_reason", "caller_number", "caller_name"),
    *("dialed_number", "callee", "flow", "node", "started_at", "ended_at", "duration_ms"),
    *("format", "size_bytes", "path"),
)


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, with every column.")
@click.option("--limit", type=click.IntRange(min=0), default=50, help="How many; 0 for all.")
def list_recordings(as_json: bool, limit: int) -> None:
    """The newest first, with their state."""
    rows = library.newest(limit)
    for line in _json_lines(rows) if as_json else map(_text_line, rows):
        click.echo(line)


def _json_lines(rows: Iterable[Any]) -> Iterator[str]:
    """An array that is printed while it is read: there may be ten million."""
    before = "["
    for row in rows:
        values = {name: getattr(row, name) for name in COLUMNS}
        yield before + json.dumps(values, default=_as_text, ensure_ascii=False)
        before = ","
    yield "]" if before == "," else "[]"


def _text_line(row: Any) -> str:
    started = f"{row.started_at:%Y-%m-%d %H:%M:%SZ}"
    parties = (row.caller_number or row.caller_name, row.callee or row.dialed_number)
    fields = (row.uid, started, row.kind, _length(row.duration_ms), *parties, row.state)
    return "\t".join(_one_line(field or "-") for field in (*fields, row.state_reason))


def _length(duration_ms: int | None) -> str:
    if duration_ms is None:
        return ""
    return f"{duration_ms // 60000:02}:{duration_ms // 1000 % 60:02}"


def _one_line(text: str) -> str:
    # A caller chooses their own name; it must not start a line or colour the terminal.
    return "".join(c if c.isprintable() else " " for c in text)


def _as_text(value: datetime) -> str:
    return value.isoformat()
