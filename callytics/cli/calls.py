"""`flask calls …`: calls that Callytics itself places."""

import click
from flask import current_app

from callytics import placing
from callytics.ari import AriError
from callytics.numbers import NumberError

group = click.Group("calls", help="Place calls.")


@group.command("place")
@click.option("--from", "endpoint", required=True, help="Whom to ring first: PJSIP/alice")
@click.option("--to", "number", required=True, help="The number to call then.")
def place(endpoint: str, number: str) -> None:
    """Ring ENDPOINT, then call NUMBER as a direct outbound call."""
    try:
        placing.place_call(current_app.extensions["callytics"], endpoint, number)
    except (AriError, NumberError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{endpoint} is rung; when it answers, {number} is called.")


@group.command("place-test")
def place_test() -> None:
    """Call the sample flow from the sample caller."""
    try:
        placing.place_test_call(current_app.extensions["callytics"])
    except AriError as error:
        raise click.ClickException(str(error)) from error
    click.echo("The test call is on; it ends by itself after ten seconds of talking.")
