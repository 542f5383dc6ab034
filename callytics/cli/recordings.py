"""`flask recordings …`: the library on the command line."""

from typing import Any

import click

from callytics import library
from callytics.cli.commands import Commands
from callytics.cli.printing import json_lines, length, text_line, when

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
    for line in json_lines(rows, COLUMNS) if as_json else map(_text_line, rows):
        click.echo(line)


def _text_line(row: Any) -> str:
    parties = (row.caller_number or row.caller_name, row.callee or row.dialed_number)
    facts = (row.uid, when(row.started_at), row.kind, length(row.duration_ms))
    return text_line(*facts, *parties, row.state, row.state_reason)
