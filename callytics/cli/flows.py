"""`flask flows …`: import and export of the flow document."""

import json
from typing import BinaryIO

import click

from callytics.cli.commands import Commands, operator
from callytics.flows import versions
from callytics.flows.document import parse
from callytics.flows.errors import DocumentError

group = Commands("flows", help="What happens to a call, step by step.")


@group.command("import")
@click.argument("file", type=click.File("rb"))
def import_flows(file: BinaryIO) -> None:
    """Publish the document in FILE ('-' is standard input). An invalid one changes nothing."""
    try:
        document = parse(file.read())
    except DocumentError as error:
        for line in error.errors:
            click.echo(line, err=True)
        raise click.ClickException("nothing was changed") from error
    versions.save(document, operator())
    click.echo(f"{len(document.flows)} flows and {len(document.queues)} queues are published.")


@group.command("export")
@click.argument("name", required=False)
def export_flows(name: str | None) -> None:
    """Print the published document, or only the flow NAME and its queues."""
    document = versions.current()
    try:
        chosen = document if name is None else document.only(name)
    except KeyError as error:
        raise click.ClickException(f"there is no flow {name!r}") from error
    click.echo(json.dumps(chosen.model_dump(exclude_none=True), indent=2, ensure_ascii=False))


@group.command("list")
def list_flows() -> None:
    """List flows with their numbers and the count of their nodes."""
    for name, flow in versions.current().flows.items():
        click.echo(f"{name}\t{', '.join(flow.numbers) or 'no number'}\t{len(flow.nodes)} nodes")
