"""Reconciliation of rows, facts and files, with a report. Needs an app context.

A run may be interrupted at any step and started again: it writes the facts, then the row, and
deletes files last. Calls are recorded meanwhile, so each recording is read again right before it
is changed.
"""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice

from callytics.integrity import adoption, inventory
from callytics.integrity.inspection import FOREIGN_FILE, CheckContext, Finding, check_audio
from callytics.integrity.inventory import RecordingFiles
from callytics.integrity.quick_check import is_in_order
from callytics.integrity.rules import check_recording
from callytics.recordings import ledger
from callytics.recordings.facts_files import write_facts
from callytics.recordings.finalization import finalize, repair_header
from callytics.recordings.ledger import RowChange
from callytics.storage.folder import Storage
from callytics.storage.folder_walk import FileEntry
from callytics.storage.sequential import SequentialStorage

# Recordings of one report; the caller may pause between two reports.
CHUNK = 500
_DRAFT = re.compile(r"\.json\.(?:[0-9a-f]{8}\.)?new$")
# Temporary facts files are renamed within milliseconds; an older one was left by a crash.
DRAFT_EXPIRES_AFTER = timedelta(days=1)


class FolderError(Exception):
    """The folder cannot be used; the message says what to do."""


class WrongFolderError(FolderError):
    """Most files are not in the folder. The operator may confirm that it is the right one."""


@dataclass
class Report:
    """Report of one step; each sentence begins with a path."""

    checked: int = 0
    # Problems that are repaired, or by `verify` would be, with the repair.
    problems: list[str] = field(default_factory=list)
    # Problems that could not be repaired, with the reason.
    failures: list[str] = field(default_factory=list)
    # What is not touched for now, and files that do not belong to Callytics.
    skipped: list[str] = field(default_factory=list)
    foreign_files: list[str] = field(default_factory=list)


def verify(context: CheckContext) -> Iterator[Report]:
    """Compare all recordings and change nothing; yield a report for each CHUNK of them.

    Raises FolderError, and OSError for a folder that cannot be read.
    """
    return _run(context, repair=False)


def reconcile(context: CheckContext) -> Iterator[Report]:
    """Compare all recordings and repair their problems; yield a report for each CHUNK of them.

    No transaction or file is open between two reports, so the caller may pause there. Raises
    FolderError, and OSError for a folder that cannot be read.
    """
    return _run(replace(context, fill_checksums=True), repair=True)


def finalize_open_recordings(context: CheckContext) -> Report:
    """Finalize the recordings in an open state that have ended. Raises FolderError, OSError."""
    report, names = Report(), inventory.open_recording_names()
    if names:
        check_folder(context)
    for at in range(0, len(names), CHUNK):
        _recheck(names[at : at + CHUNK], context, True, report)
    report.checked = len(names)
    return report


def _run(context: CheckContext, repair: bool) -> Iterator[Report]:
    check_folder(context, mark=repair)
    foreign_files: list[FileEntry] = []
    pending = inventory.take_inventory(context.storage, foreign_files.append)
    while chunk := list(islice(pending, CHUNK)):
        report = Report(checked=len(chunk))
        with SequentialStorage(context.storage) as storage:
            at_hand = replace(context, storage=storage)
            suspects = [r.name for r in chunk if _is_suspect(r, at_hand, storage)]
            storage.release()
            _recheck(dict.fromkeys(suspects), at_hand, repair, report)
        _report_foreign_files(foreign_files, context, repair, report)
        yield report
    # Foreign files after the last recording, or in a folder without recordings.
    report = Report()
    _report_foreign_files(foreign_files, context, repair, report)
    yield report


def check_folder(context: CheckContext, mark: bool = True) -> None:
    """Raise FolderError if the folder cannot be used or is not the one of these rows.

    With `mark`, mark a folder that has no marker yet.
    """
    storage = context.storage
    if problem := storage.access_problem():
        raise FolderError(problem)
    try:
        if not context.skip_folder_check:
            problem = adoption.adopt(storage) if mark else adoption.folder_problem(storage)
        elif mark:
            adoption.accept(storage)
    except OSError as error:
        raise FolderError(f"RECORDINGS_DIR: {storage.root} cannot be marked ({error})") from error
    if problem:
        raise WrongFolderError(problem)


def _is_suspect(
    recording: RecordingFiles, context: CheckContext, storage: SequentialStorage
) -> bool:
    """Return True if a recording may not be in order, and has to be looked at again."""
    if recording.row is None:
        return True
    if is_in_order(recording, context, storage):
        return False
    try:
        finding = check_recording(recording, context)
    except OSError:
        return True
    return bool(finding.problems or finding.skipped or finding.foreign_files)


def _recheck(names: Collection[str], context: CheckContext, repair: bool, report: Report) -> None:
    """Check suspects again in their current state, and repair what is still wrong."""
    if not names:
        return
    rows, begun = inventory.rows_named(names), inventory.deletions_in_progress(names)
    findings = []
    for name in names:
        try:
            recording = inventory.reread(context.storage, name, rows)
            findings.append(check_recording(recording, context, name in begun))
        except OSError as error:
            report.failures.append(f"{name}: cannot be looked at: {error}")
    for finding in findings:
        report.skipped += finding.skipped
        report.foreign_files += finding.foreign_files
    wrong = [finding for finding in findings if finding.problems]
    if repair:
        wrong = _repair(wrong, context.storage, report)
    for finding in wrong:
        report.problems += finding.problems


def _repair(findings: Iterable[Finding], storage: Storage, report: Report) -> list[Finding]:
    """Repair findings and return those that succeeded; write all rows in one transaction."""
    repaired: list[Finding] = []
    changes: list[RowChange] = []
    new_uids: set[str] = set()
    for finding in findings:
        try:
            # If two folders have a file of the same name, only the first becomes a recording.
            if finding.new_uid not in new_uids:
                changes += _repair_files(finding, storage)
                repaired.append(finding)
                new_uids |= {finding.new_uid} - {""}
        except (OSError, ValueError) as error:
            report.failures.append(f"{finding.path}: cannot be mended: {error}")
    # New rows are inserted in the order of time, because ids follow it.
    changes.sort(key=lambda change: (change.facts is not None, _started_at(change)))
    ledger.change_recordings(changes)
    for path in [path for finding in repaired for path in finding.empty_files]:
        _delete_if_empty(path, storage, report)
    return repaired


def _started_at(change: RowChange) -> float:
    return change.facts.started_at.timestamp() if change.facts else 0.0


def _repair_files(finding: Finding, storage: Storage) -> list[RowChange]:
    """Repair the files of a recording; return the change of its row."""
    row, facts = finding.recording.row, finding.desired
    state_before = None if row is None else row.state
    if finding.finish_deletion:
        storage.delete(f"{finding.recording.name}.json")
        return [] if row is None else [RowChange(row.uid, state_before, None)]
    if facts is None:
        return []
    if finding.set_aside_facts:
        storage.add_suffix(facts.facts_path, ".unusable")
    if finding.finalize:
        assert facts.ended_at is not None
        facts = finalize(storage, facts, facts.ended_at)
    elif finding.repair_header:
        repair_header(storage, facts)
    if finding.add_checksum:
        facts = facts.but(sha256=storage.sha256(facts.path))
    if finding.write_facts:
        write_facts(storage, facts)
    return [RowChange(facts.uid, state_before, facts)] if finding.write_row else []


def _delete_if_empty(path: str, storage: Storage, report: Report) -> None:
    """Delete a file that had no audio when it was checked, if it still has none."""
    try:
        file = storage.stat(path)
        if file is not None and check_audio(storage, file).is_empty:
            storage.delete(path)
    except OSError as error:
        report.failures.append(f"{path}: cannot be removed: {error}")


def _report_foreign_files(
    foreign_files: list[FileEntry], context: CheckContext, repair: bool, report: Report
) -> None:
    for found in foreign_files:
        if not _DRAFT.search(found.path):
            report.foreign_files.append(f"{found.path}: {FOREIGN_FILE}, left alone")
        elif context.now() - found.modified_at > DRAFT_EXPIRES_AFTER:
            report.problems.append(f"{found.path}: a draft of facts that a crash left → removed")
            if repair:
                context.storage.delete(found.path)
    foreign_files.clear()
