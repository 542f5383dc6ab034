"""`flask retention …`: state of deletion by age, and a run at once."""

from collections.abc import Iterator

import click
from flask import current_app

from callytics.ari.commands import Ari
from callytics.cli.commands import Commands
from callytics.cli.printing import when
from callytics.cli.recordings import check_context
from callytics.integrity.reconcile import FolderError, Report
from callytics.plain_text import one_line
from callytics.retention import policy, runs
from callytics.settings.settings import all_settings

group = Commands("retention", help="Deletion of recordings by age.")


@group.command("status")
def status() -> None:
    """Print what a run would delete now, and the last run."""
    planned = policy.plan(Ari(current_app.extensions["callytics"]).clock())
    days = int(all_settings()["retention_days"])
    click.echo(f"retention_days is {days}: recordings are kept " + _length(days))
    click.echo(f"{planned.expired} would be deleted now")
    if planned.problem:
        click.echo(one_line(planned.refusal))
    if last := runs.newest_run():
        what = f"refused: {last.problem}" if last.problem else f"deleted {last.deleted}"
        click.echo(one_line(f"last run: {when(last.at)}, {what}"))


@group.command("run")
@click.option("--yes", is_flag=True, help="Delete, although clock or number look wrong.")
def run(yes: bool) -> None:
    """Delete now what the worker would delete within a day."""
    ari = Ari(current_app.extensions["callytics"])
    steps = policy.delete_expired(check_context(skip_folder_check=False), ari.clock, confirmed=yes)
    try:
        deleted, failed = _print_steps(steps)
    except (policy.RetentionRefused, FolderError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{deleted} deleted, {failed} not." if failed else f"{deleted} deleted.")


def _print_steps(steps: Iterator[Report]) -> tuple[int, int]:
    deleted = failed = 0
    for report in steps:
        for text in (*report.problems, *report.failures, *report.skipped):
            click.echo(one_line(text))
        deleted, failed = deleted + len(report.problems), failed + len(report.failures)
    return deleted, failed


def _length(days: int) -> str:
    return f"for {days} days" if days else "for ever"
