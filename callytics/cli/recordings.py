"""`flask recordings …`: list, verification and reconciliation of recordings."""

import gc
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import click
from flask import current_app

from callytics.ari.commands import Ari, AriError
from callytics.cli.commands import Commands
from callytics.cli.printing import json_lines, length, text_line, when
from callytics.config import Config
from callytics.integrity import inventory, reconcile
from callytics.integrity.inspection import CheckContext
from callytics.pbx import heartbeat
from callytics.pbx.names import known_name
from callytics.plain_text import one_line
from callytics.recordings import library
from callytics.recordings.facts import COLUMNS, OPEN_STATES, Facts
from callytics.recordings.library import RecordingRow
from callytics.storage.folder import Storage

group = Commands("recordings", help="The recordings in the library.")

# A running worker completes its recordings itself, within seconds of their end.
WORKER_GRACE = timedelta(seconds=60)

skip_folder_check_option = click.option(
    "--folder-is-right",
    "skip_folder_check",
    is_flag=True,
    help="Go on although hardly any recording is in the folder.",
)


@group.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, with every column.")
@click.option("--limit", type=click.IntRange(min=0), default=50, help="How many; 0 for all.")
def list_recordings(as_json: bool, limit: int) -> None:
    """List recordings and their states, newest first."""
    rows = library.newest(limit)
    for line in json_lines(rows, COLUMNS) if as_json else map(_text_line, rows):
        click.echo(line)


@group.command("verify")
@click.option("--checksums", is_flag=True, help="Read every file, and compare every byte.")
@skip_folder_check_option
def verify(checksums: bool, skip_folder_check: bool) -> None:
    """Compare rows, files and facts; exit 1 where they differ."""
    context = replace(
        check_context(skip_folder_check), fill_checksums=checksums, compare_checksums=checksums
    )
    checked, wrong, failed = _print_reports(reconcile.verify(context), with_foreign_files=True)
    click.echo(f"{_many(checked, 'recording')}, {_many(wrong + failed, 'disagreement')}.")
    sys.exit(1 if wrong + failed else 0)


@group.command("reconcile")
@skip_folder_check_option
def reconcile_all(skip_folder_check: bool) -> None:
    """Make rows, files and facts agree, and print each repair."""
    reports = reconcile.reconcile(check_context(skip_folder_check))
    checked, repaired, failed = _print_reports(reports, with_foreign_files=False)
    summary = f"{_many(checked, 'recording')}, {_many(repaired, 'disagreement')} mended"
    click.echo(f"{summary}, {failed} not." if failed else f"{summary}.")


def check_context(skip_folder_check: bool) -> CheckContext:
    """Return the context of a check by a command."""
    pbxs = heartbeat.living_pbxs()
    running = heartbeat.is_any_running(pbxs)
    storage: Storage = current_app.extensions["storage"]
    config: Config = current_app.extensions["callytics"]
    return CheckContext(
        storage=storage,
        is_live=_live_check(Ari(config)),
        is_ours=_own_check({pbx.name for pbx in pbxs} - {known_name(storage, config)}),
        grace=WORKER_GRACE if running else timedelta(0),
        skip_folder_check=skip_folder_check,
    )


def _own_check(others: set[str]) -> Callable[[Facts], bool]:
    """Return a check that leaves what goes on at other PBXs to their workers.

    The Asterisk of this host does not know of it.
    """

    def is_ours(facts: Facts) -> bool:
        return facts.state not in OPEN_STATES or facts.pbx not in others

    return is_ours


def _live_check(ari: Ari) -> Callable[[Facts], bool | None]:
    """Return a check if Asterisk is recording; always None after the first error of ARI."""
    answers = True

    def is_live(facts: Facts) -> bool | None:
        nonlocal answers
        try:
            return ari.live_recording(facts.name) is not None if answers else None
        except AriError:
            answers = False
            return None

    return is_live


def _print_reports(
    reports: Iterator[reconcile.Report], with_foreign_files: bool
) -> tuple[int, int, int]:
    """Print all reports; return the numbers of recordings, problems and failures."""
    checked = wrong = failed = 0
    count, hidden = inventory.count_rows(), not sys.stderr.isatty()
    # What was imported is no garbage, and looking through it takes a fifth of a run.
    gc.collect()
    gc.freeze()
    with click.progressbar(length=count, file=sys.stderr, hidden=hidden) as bar:
        try:
            for report in reports:
                foreign_files = report.foreign_files if with_foreign_files else []
                for text in (*report.problems, *report.failures, *report.skipped, *foreign_files):
                    click.echo(one_line(text))
                checked, wrong = checked + report.checked, wrong + len(report.problems)
                failed += len(report.failures)
                bar.update(report.checked)
        except reconcile.FolderError as error:
            raise click.ClickException(_remedy(error)) from error
        except OSError as error:
            raise click.ClickException(f"RECORDINGS_DIR: cannot be read: {error}") from error
        finally:
            gc.unfreeze()
    return checked, wrong, failed


def _remedy(error: reconcile.FolderError) -> str:
    if isinstance(error, reconcile.WrongFolderError):
        return f"{error}. If all is as it should be, add --folder-is-right."
    return f"{error}."


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _text_line(row: RecordingRow) -> str:
    parties = (row.caller_number or row.caller_name, row.callee or row.dialed_number)
    facts = (row.uid, when(row.started_at), row.kind, length(row.duration_ms))
    return text_line(*facts, *parties, row.state, row.state_reason)
