"""`flask calls …`: list of calls, and calls placed by Callytics."""

import click
from flask import current_app

from callytics.ari.commands import AriError
from callytics.calls import library, originate
from callytics.calls.library import CallRow
from callytics.cli.commands import Commands, reporting
from callytics.cli.printing import json_lines, length, text_line, when
from callytics.telephony.numbers import NumberError

group = Commands("calls", help="List calls, and place them.")

# Keys of the JSON output, on which scripts rely, in this order.
COLUMNS = (
    *("uid", "direction", "disposition", "hangup_cause", "caller_number", "caller_name"),
    *("dialed_number", "callee", "flow", "path", "started_at", "answered_at", "ended_at"),
    "problem",
)


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, with every column.")
@click.option("--limit", type=click.IntRange(min=0), default=50, help="How many; 0 for all.")
def list_calls(as_json: bool, limit: int) -> None:
    """List calls and their results, newest first."""
    rows = library.calls().newest(limit)
    for line in json_lines(rows, COLUMNS) if as_json else map(_text_line, rows):
        click.echo(line)


@group.command("place")
@reporting(AriError, NumberError)
@click.option("--from", "endpoint", required=True, help="Whom to ring first: PJSIP/alice")
@click.option("--to", "number", required=True, help="The number to call then.")
def place(endpoint: str, number: str) -> None:
    """Ring ENDPOINT, then call NUMBER as a direct outbound call."""
    originate.place_call(current_app.extensions["callytics"], endpoint, number)
    click.echo(f"{endpoint} is rung; when it answers, {number} is called.")


@group.command("place-test")
@reporting(AriError)
def place_test() -> None:
    """Call the sample flow from the sample caller."""
    originate.place_test_call(current_app.extensions["callytics"])
    click.echo("The test call is on; it ends by itself after ten seconds of talking.")


def _text_line(row: CallRow) -> str:
    parties = (row.caller_number or row.caller_name, row.dialed_number, row.callee)
    lengths = (length(library.wait_ms(row)), length(library.talk_ms(row)))
    ending = row.disposition if row.ended_at else library.IN_PROGRESS
    facts = (row.uid, when(row.started_at), row.direction)
    return text_line(*facts, *parties, *lengths, ending, row.problem)
