"""Makes rows, facts and files agree, and says what it did. Needs an app context.

Every step may be interrupted and begun again: the facts are written first, then the row, and a
file goes last. Each run looks at a recording again right before it changes it, since calls are
recorded meanwhile.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import islice

from callytics.integrity import inventory
from callytics.integrity.inspection import NOT_OURS, Circumstances, Verdict, listen
from callytics.integrity.inventory import Group
from callytics.integrity.rules import judge
from callytics.recordings import ledger
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import write_facts
from callytics.recordings.finalization import complete, finish
from callytics.recordings.ledger import Change
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
    """What was found in one step, each a sentence that begins with a path."""

    looked: int = 0
    # Disagreements: what is wrong, and what is, or would be, done about it.
    says: list[str] = field(default_factory=list)
    # Disagreements that cannot be mended, and why.
    failed: list[str] = field(default_factory=list)
    # What is left alone for now, and files that are none of ours.
    left: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


def verify(around: Circumstances) -> Iterator[Report]:
    """Compare everything and change nothing; a report for every few hundred recordings.

    Raises FolderError, and OSError for a folder that cannot be read.
    """
    return _run(around, mends=False)


def reconcile(around: Circumstances) -> Iterator[Report]:
    """Compare everything and mend what can be mended; a report for every few hundred recordings.

    Nothing is held between two reports, so that who runs it beside calls may pause there for as
    long as they like. Raises FolderError, and OSError for a folder that cannot be read.
    """
    return _run(replace(around, fill_checksums=True), mends=True)


def mend_open(around: Circumstances) -> Report:
    """Complete what the ledger takes for open and what is over. Raises FolderError, OSError."""
    report, names = Report(), inventory.open_recordings()
    if names:
        check_folder(around)
    for at in range(0, len(names), CHUNK):
        _settle(names[at : at + CHUNK], around, True, report)
    report.looked = len(names)
    return report


def _run(around: Circumstances, mends: bool) -> Iterator[Report]:
    check_folder(around)
    strangers: list[FileEntry] = []
    groups = inventory.survey(around.storage, strangers.append)
    while chunk := list(islice(groups, CHUNK)):
        report = Report(looked=len(chunk))
        suspects = [group.name for group in chunk if _is_suspect(group, around)]
        _settle(dict.fromkeys(suspects), around, mends, report)
        _note_strangers(strangers, around, mends, report)
        yield report
    # Those after the last recording, or of a folder without any.
    report = Report()
    _note_strangers(strangers, around, mends, report)
    yield report


def check_folder(around: Circumstances) -> None:
    """Raise FolderError where the folder cannot be used or is not that of this library."""
    if problem := around.storage.problem():
        raise FolderError(problem)
    if not around.folder_is_right and (problem := _strangeness(around.storage)):
        raise WrongFolderError(problem)


def _strangeness(storage: Storage) -> str | None:
    """Why this may be another folder than the one that the rows speak of."""
    known = inventory.sample(_SAMPLE)
    there = sum(any(map(storage.find, (f.path, f.facts_path))) for f in known if _is_plain(f))
    few = len(known) >= _SAMPLE // 5 and there * 2 < len(known)
    if not few and not (known and storage.is_bare()):
        return None
    return (
        f"RECORDINGS_DIR: of {len(known)} recordings that should be in {storage.root}, {there} "
        "are. Nothing was changed: see whether the right folder is set and its disk is mounted"
    )


def _is_plain(facts: Facts) -> bool:
    return "/" not in facts.uid


def _is_suspect(group: Group, around: Circumstances) -> bool:
    try:
        verdict = judge(group, around)
    except OSError:
        return True
    return bool(verdict.says or verdict.left or verdict.strangers)


def _settle(names: Collection[str], around: Circumstances, mends: bool, report: Report) -> None:
    """Look at suspects again, as they are by now, and mend what is still wrong."""
    if not names:
        return
    rows, begun = inventory.rows_named(names), inventory.deletions_begun(names)
    verdicts = []
    for name in names:
        try:
            group = inventory.look_again(around.storage, name, rows)
            verdicts.append(judge(group, around, name in begun))
        except OSError as error:
            report.failed.append(f"{name}: cannot be looked at: {error}")
    for verdict in verdicts:
        report.left += verdict.left
        report.strangers += verdict.strangers
    wrong = [verdict for verdict in verdicts if verdict.says]
    if mends:
        wrong = _mend(wrong, around.storage, report)
    for verdict in wrong:
        report.says += verdict.says


def _mend(verdicts: Iterable[Verdict], storage: Storage, report: Report) -> list[Verdict]:
    """Carry verdicts out; those that could be. All rows are written in one transaction."""
    mended: list[Verdict] = []
    changes: list[Change] = []
    taken_in: set[str] = set()
    for verdict in verdicts:
        try:
            # Of two files of one name in two folders, only the first becomes a recording.
            if verdict.new_uid not in taken_in:
                changes += _mend_files(verdict, storage)
                mended.append(verdict)
                taken_in |= {verdict.new_uid} - {""}
        except (OSError, ValueError) as error:
            report.failed.append(f"{verdict.path}: cannot be mended: {error}")
    # Ids follow time as far as they can.
    changes.sort(key=lambda change: (change.facts is not None, _begin(change)))
    ledger.change_recordings(changes)
    for path in [path for verdict in mended for path in verdict.remove]:
        _remove_empty(path, storage, report)
    return mended


def _begin(change: Change) -> float:
    return change.facts.started_at.timestamp() if change.facts else 0.0


def _mend_files(verdict: Verdict, storage: Storage) -> list[Change]:
    """Bring the files to what a verdict says; what is to become of the row."""
    row, facts = verdict.group.row, verdict.desired
    was = None if row is None else row.state
    if verdict.forget:
        storage.delete(f"{verdict.group.name}.json")
        return [] if row is None else [Change(row.uid, was, None)]
    if facts is None:
        return []
    if verdict.keep_facts:
        storage.set_aside(facts.facts_path)
    if verdict.over:
        assert facts.ended_at is not None
        facts = complete(storage, facts, facts.ended_at)
    elif verdict.finish_header:
        finish(storage, facts)
    if verdict.take_checksum:
        facts = facts.but(sha256=storage.sha256(facts.path))
    if verdict.writes_facts:
        write_facts(storage, facts)
    return [Change(facts.uid, was, facts)] if verdict.writes_row else []


def _remove_empty(path: str, storage: Storage, report: Report) -> None:
    """Remove a file that was found without sound, if it still has none."""
    try:
        found = storage.find(path)
        if found is not None and listen(storage, found).is_empty:
            storage.delete(path)
    except OSError as error:
        report.failed.append(f"{path}: cannot be removed: {error}")


def _note_strangers(
    strangers: list[FileEntry], around: Circumstances, mends: bool, report: Report
) -> None:
    for found in strangers:
        if not found.path.endswith(DRAFT):
            report.strangers.append(f"{found.path}: {NOT_OURS}, left alone")
        elif around.now() - found.modified_at > DRAFT_IS_LEFT:
            report.says.append(f"{found.path}: a draft of facts that a crash left → removed")
            if mends:
                around.storage.delete(found.path)
    strangers.clear()
