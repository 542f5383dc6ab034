"""Reconciliation of rows, facts and files, with a report. Needs an app context.

Every step may be interrupted and begun again: the facts are written first, then the row, and a
file goes last. Each run looks at a recording again right before it changes it, since calls are
recorded meanwhile.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice

from callytics.integrity import inventory
from callytics.integrity.inspection import NOT_OURS, CheckContext, Finding, listen
from callytics.integrity.inventory import RecordingFiles
from callytics.integrity.rules import check_recording
from callytics.recordings import ledger
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import write_facts
from callytics.recordings.finalization import finalize, repair_header
from callytics.recordings.ledger import RowChange
from callytics.storage.folder import Storage
from callytics.storage.folder_walk import FileEntry

# How many recordings are looked at between two breaths.
CHUNK = 500
DRAFT = ".json.new"
# A draft is written in an instant; one that is so old was left by a crash.
DRAFT_IS_LEFT = timedelta(days=1)
_SAMPLE = 50


class FolderError(Exception):
    """The folder cannot be used; the message says what to do."""


class WrongFolderError(FolderError):
    """The folder does not look like that of this library. Somebody may say that it is."""


@dataclass
class Report:
    """Report of one step: sentences that begin with a path."""

    looked: int = 0
    # Disagreements: what is wrong, and what is, or would be, done about it.
    problems: list[str] = field(default_factory=list)
    # Disagreements that cannot be mended, and why.
    failed: list[str] = field(default_factory=list)
    # What is left alone for now, and files that are none of ours.
    skipped: list[str] = field(default_factory=list)
    foreign_files: list[str] = field(default_factory=list)


def verify(context: CheckContext) -> Iterator[Report]:
    """Compare everything and change nothing; a report for every few hundred recordings.

    Raises FolderError, and OSError for a folder that cannot be read.
    """
    return _run(context, mends=False)


def reconcile(context: CheckContext) -> Iterator[Report]:
    """Compare everything and mend what can be mended; a report for every few hundred recordings.

    Nothing is held between two reports, so that who runs it beside calls may pause there for as
    long as they like. Raises FolderError, and OSError for a folder that cannot be read.
    """
    return _run(replace(context, fill_checksums=True), mends=True)


def mend_open(context: CheckContext) -> Report:
    """Complete open recordings that have ended. Raises FolderError, OSError."""
    report, names = Report(), inventory.open_recordings()
    if names:
        check_folder(context)
    for at in range(0, len(names), CHUNK):
        _settle(names[at : at + CHUNK], context, True, report)
    report.looked = len(names)
    return report


def _run(context: CheckContext, mends: bool) -> Iterator[Report]:
    check_folder(context)
    foreign_files: list[FileEntry] = []
    pending = inventory.take_inventory(context.storage, foreign_files.append)
    while chunk := list(islice(pending, CHUNK)):
        report = Report(looked=len(chunk))
        suspects = [recording.name for recording in chunk if _is_suspect(recording, context)]
        _settle(dict.fromkeys(suspects), context, mends, report)
        _note_foreign_files(foreign_files, context, mends, report)
        yield report
    # Those after the last recording, or of a folder without any.
    report = Report()
    _note_foreign_files(foreign_files, context, mends, report)
    yield report


def check_folder(context: CheckContext) -> None:
    """Raise FolderError where the folder cannot be used or is not that of this library."""
    if problem := context.storage.problem():
        raise FolderError(problem)
    if not context.folder_is_right and (problem := _mismatch(context.storage)):
        raise WrongFolderError(problem)


def _mismatch(storage: Storage) -> str | None:
    """Return the reason to believe that this is not the folder of these rows, or None."""
    known = inventory.sample(_SAMPLE)
    there = sum(any(map(storage.stat, (f.path, f.facts_path))) for f in known if _is_plain(f))
    few = len(known) >= _SAMPLE // 5 and there * 2 < len(known)
    if not few and not (known and storage.is_empty()):
        return None
    return (
        f"RECORDINGS_DIR: of {len(known)} recordings that should be in {storage.root}, {there} "
        "are. Nothing was changed: see whether the right folder is set and its disk is mounted"
    )


def _is_plain(facts: Facts) -> bool:
    return "/" not in facts.uid


def _is_suspect(recording: RecordingFiles, context: CheckContext) -> bool:
    try:
        finding = check_recording(recording, context)
    except OSError:
        return True
    return bool(finding.problems or finding.skipped or finding.foreign_files)


def _settle(names: Collection[str], context: CheckContext, mends: bool, report: Report) -> None:
    """Check suspects again in their current state, and mend what is still wrong."""
    if not names:
        return
    rows, begun = inventory.rows_named(names), inventory.deletions_begun(names)
    findings = []
    for name in names:
        try:
            recording = inventory.reread(context.storage, name, rows)
            findings.append(check_recording(recording, context, name in begun))
        except OSError as error:
            report.failed.append(f"{name}: cannot be looked at: {error}")
    for finding in findings:
        report.skipped += finding.skipped
        report.foreign_files += finding.foreign_files
    wrong = [finding for finding in findings if finding.problems]
    if mends:
        wrong = _mend(wrong, context.storage, report)
    for finding in wrong:
        report.problems += finding.problems


def _mend(findings: Iterable[Finding], storage: Storage, report: Report) -> list[Finding]:
    """Carry out findings; return those that succeeded. All rows are written in one transaction."""
    mended: list[Finding] = []
    changes: list[RowChange] = []
    taken_in: set[str] = set()
    for finding in findings:
        try:
            # Of two files of one name in two folders, only the first becomes a recording.
            if finding.new_uid not in taken_in:
                changes += _mend_files(finding, storage)
                mended.append(finding)
                taken_in |= {finding.new_uid} - {""}
        except (OSError, ValueError) as error:
            report.failed.append(f"{finding.path}: cannot be mended: {error}")
    # Ids follow time as far as they can.
    changes.sort(key=lambda change: (change.facts is not None, _begin(change)))
    ledger.change_recordings(changes)
    for path in [path for finding in mended for path in finding.remove]:
        _remove_empty(path, storage, report)
    return mended


def _begin(change: RowChange) -> float:
    return change.facts.started_at.timestamp() if change.facts else 0.0


def _mend_files(finding: Finding, storage: Storage) -> list[RowChange]:
    """Change the files as a finding says; return the change of the row."""
    row, facts = finding.recording.row, finding.desired
    was = None if row is None else row.state
    if finding.forget:
        storage.delete(f"{finding.recording.name}.json")
        return [] if row is None else [RowChange(row.uid, was, None)]
    if facts is None:
        return []
    if finding.keep_facts:
        storage.add_suffix(facts.facts_path, ".unusable")
    if finding.over:
        assert facts.ended_at is not None
        facts = finalize(storage, facts, facts.ended_at)
    elif finding.finish_header:
        repair_header(storage, facts)
    if finding.take_checksum:
        facts = facts.but(sha256=storage.sha256(facts.path))
    if finding.writes_facts:
        write_facts(storage, facts)
    return [RowChange(facts.uid, was, facts)] if finding.writes_row else []


def _remove_empty(path: str, storage: Storage, report: Report) -> None:
    """Remove a file that was found without sound, if it still has none."""
    try:
        found = storage.stat(path)
        if found is not None and listen(storage, found).is_empty:
            storage.delete(path)
    except OSError as error:
        report.failed.append(f"{path}: cannot be removed: {error}")


def _note_foreign_files(
    foreign_files: list[FileEntry], context: CheckContext, mends: bool, report: Report
) -> None:
    for found in foreign_files:
        if not found.path.endswith(DRAFT):
            report.foreign_files.append(f"{found.path}: {NOT_OURS}, left alone")
        elif context.now() - found.modified_at > DRAFT_IS_LEFT:
            report.problems.append(f"{found.path}: a draft of facts that a crash left → removed")
            if mends:
                context.storage.delete(found.path)
    foreign_files.clear()
