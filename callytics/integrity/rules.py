"""Consistency rules: disagreements of row, audio and facts, and the state they should have."""

import re

from callytics.integrity.inspection import (
    IDLE,
    PAUSED_IDLE,
    AudioCheck,
    CheckContext,
    Finding,
    check_audio,
)
from callytics.integrity.inventory import RecordingFiles, facts_of_recording
from callytics.integrity.orphans import check_orphan
from callytics.recordings.facts import FORMATS, KEEP_TAG, OPEN_STATES, Facts, FactsChanges
from callytics.recordings.finalization import CUT_SHORT, NO_FILE, NO_SOUND, PERHAPS_CUT_SHORT
from callytics.recordings.pauses import completeness, is_paused
from callytics.storage.folder_walk import FileEntry

# Row and facts are written one after the other: the one with the higher state was written later.
_FINALITY = {"requested": 0, "recording": 1, "available": 2, "failed": 3, "missing": 3}
_NEVER_ASKED = "the worker stopped before Asterisk had begun to record"
_GONE = re.compile(r"the file (?:is|was) gone[^()]*(?:\((?P<before>.*)\))?", re.DOTALL)


def check_recording(
    recording: RecordingFiles, context: CheckContext, deleted: bool = False
) -> Finding:
    """Compare row, audio and facts of a recording, without changing any. Raises OSError.

    `deleted` is True if a deletion of it began. After the repairs of a finding, the next check of
    the recording has no problems.
    """
    finding = Finding(recording)
    if recording.uid_taken:
        finding.add_foreign_file(finding.path, "bears the name of a recording of another day")
        return finding
    facts, unusable = _read(recording, context)
    base = _more_final(recording.row, facts)
    if base is not None and not context.is_ours(base):
        if base.state in OPEN_STATES:
            finding.skip(f"in progress on PBX {base.pbx}: left to its worker")
        return finding
    if base is None:
        check_orphan(finding, context)
    else:
        _check_known(finding, context, base, deleted)
    _check_other_format(finding)
    finding.set_aside_facts = bool(unusable) and finding.desired is not None
    _compare(finding, facts, unusable, base)
    _compare_keep(finding, recording.row, facts)
    return finding


def _read(recording: RecordingFiles, context: CheckContext) -> tuple[Facts | None, str]:
    try:
        return facts_of_recording(context.storage, recording), ""
    except FileNotFoundError:
        return None, ""
    except ValueError as error:
        return None, str(error)


def _more_final(row: Facts | None, facts: Facts | None) -> Facts | None:
    if row is None or facts is None:
        return row or facts
    newer = facts if _finality(facts) > _finality(row) else row
    # Kept where either says so: a person may have added the tag after the backup.
    newer = newer if row.keep == facts.keep else newer.but(keep=True)
    # Only the row is changed when a PBX gets another name.
    return newer if newer.pbx == (row.pbx or facts.pbx) else newer.but(pbx=row.pbx or facts.pbx)


def _finality(facts: Facts) -> tuple[int, ...]:
    return (_FINALITY.get(facts.state, 0), *completeness(facts.pauses))


def _check_known(finding: Finding, context: CheckContext, base: Facts, deleted: bool) -> None:
    audio = finding.recording.files.get(base.format)
    if deleted and not finding.recording.has_audio:
        finding.finish_deletion = True
        finding.add_problem("its deletion was interrupted", "finished: facts and row removed")
    elif base.state in OPEN_STATES:
        _check_open(finding, context, base, audio)
    elif audio is None:
        finding.desired = _without_audio(finding, context, base)
    else:
        _check_ended(finding, context, base, audio)


def _check_open(
    finding: Finding, context: CheckContext, base: Facts, audio: FileEntry | None
) -> None:
    """Check a recording in an open state: Asterisk may still be writing its file."""
    if (why := _may_be_live(finding.recording, context, base)) is not None:
        # While it is recorded, a lost row is inserted again, but its values are not compared.
        finding.desired = base
        if why:
            finding.skip(why)
        return
    finding.finalize, finding.write_row, finding.write_facts = True, True, True
    # The row alone says that a PBX was lost.
    row = finding.recording.row
    reason = base.state_reason or (row.state_reason if row else "")
    ended_at = base.ended_at
    if audio is None:
        # A recording that was paused from its start has no file until it is resumed.
        if not is_paused(base.pauses):
            reason = reason or (_NEVER_ASKED if base.state == "requested" else NO_FILE)
        finding.add_problem(f"{base.state!r}, but it is over and there is no file", "failed")
        finding.desired = base.but(state_reason=reason, ended_at=ended_at or base.started_at)
        return
    if _asterisk_restarted(context, base) and base.format == "ulaw":
        # The header of a `.wav` shows that Asterisk closed it; a `.ulaw` has none.
        reason = reason or PERHAPS_CUT_SHORT
    finding.add_problem(f"{base.state!r}, but it is over", "completed by what its file says")
    finding.desired = base.but(state_reason=reason, ended_at=ended_at or audio.modified_at)
    if check_audio(context.storage, audio).is_empty:
        finding.empty_files.append(audio.path)


def _asterisk_restarted(context: CheckContext, base: Facts) -> bool:
    return context.asterisk_started_at is not None and base.started_at < context.asterisk_started_at


def _may_be_live(recording: RecordingFiles, context: CheckContext, base: Facts) -> str | None:
    """Return None if it has ended; otherwise the reason to skip it, empty if it needs no words."""
    now = context.now()
    audio = recording.files.get(base.format)
    changed_at = max(base.started_at, audio.modified_at) if audio else base.started_at
    idle = now - min(changed_at, now)
    if idle < context.grace:
        return "touched a moment ago, and a worker runs: left to it"
    live = context.is_live(base)
    if live is None and idle < (PAUSED_IDLE if is_paused(base.pauses) else IDLE):
        return "Asterisk cannot be asked whether it is still recording this: left alone"
    return "" if live else None


def _without_audio(finding: Finding, context: CheckContext, base: Facts) -> Facts:
    if base.state != "available":
        return base
    finding.add_problem("the file is gone", "missing")
    noticed = f"the file is gone, noticed {context.now():%Y-%m-%d %H:%M} UTC"
    return base.but(state="missing", state_reason=_with_earlier_reason(noticed, base))


def _with_earlier_reason(reason: str, base: Facts) -> str:
    """Return `reason` with the earlier reason in brackets, without one that no longer holds."""
    gone = _GONE.fullmatch(base.state_reason)
    before = (gone["before"] or "") if gone else base.state_reason
    return f"{reason} ({before})" if before else reason


def _check_ended(finding: Finding, context: CheckContext, base: Facts, audio: FileEntry) -> None:
    """Check a recording that has ended and has a file."""
    content = check_audio(context.storage, audio)
    # Asterisk may have begun a recording after the worker gave it up.
    given_up = base.state == "failed" and (content.is_empty or not content.finished)
    if given_up and (why := _may_be_live(finding.recording, context, base)) is not None:
        finding.desired = base
        finding.skip(why or "given up, but Asterisk is still recording it: left alone")
    elif not content.is_playable:
        finding.desired = _without_content(finding, base, content)
    else:
        finding.desired = _with_content(finding, base, audio, content)
        _check_checksum(finding, context, audio)


def _without_content(finding: Finding, base: Facts, content: AudioCheck) -> Facts:
    if content.is_empty:
        finding.empty_files.append(base.path)
        finding.add_problem(NO_SOUND, "failed, and the file removed")
    elif base.state != "failed":
        finding.add_problem(f"nothing can be played: {content.problem}", "failed; the file stays")
    if base.state == "failed":
        return base
    reason = NO_SOUND if content.is_empty else f"nothing can be played: {content.problem}"
    reason = _with_earlier_reason(reason, base)
    return base.but(state="failed", state_reason=reason, duration_ms=None, size_bytes=None)


def _with_content(finding: Finding, base: Facts, audio: FileEntry, content: AudioCheck) -> Facts:
    actual: FactsChanges = {"size_bytes": audio.size_bytes, "duration_ms": content.duration_ms}
    if base.state != "available":
        finding.add_problem(f"{base.state!r}, but its file is there, with sound", "available again")
        was = "was gone for a while" if base.state == "missing" else "is there after all"
        actual |= {
            "state": "available",
            "state_reason": _with_earlier_reason(f"the file {was}", base),
        }
    else:
        _check_measures(finding, base, actual)
    if not content.finished:
        finding.repair_header = True
        finding.add_problem("its header was never finished", "mended")
        actual["state_reason"] = actual.get("state_reason") or base.state_reason or CUT_SHORT
    agreed = all(getattr(base, name) == value for name, value in actual.items())
    # A copy takes as long as the rest of the check.
    return base if agreed else base.but(**actual)


def _check_measures(finding: Finding, base: Facts, actual: FactsChanges) -> None:
    units = {"size_bytes": "bytes", "duration_ms": "ms"}
    for name, value in actual.items():
        said = getattr(base, name)
        if said != value:
            finding.add_problem(f"said to have {said} {units[name]}, has {value}", "corrected")


def _check_checksum(finding: Finding, context: CheckContext, audio: FileEntry) -> None:
    assert finding.desired is not None
    kept = finding.desired.sha256
    if kept is None and context.fill_checksums:
        # A file without a header does not show that it is complete, so it may still grow.
        if audio.path.endswith(".wav") or context.now() - audio.modified_at > IDLE:
            finding.add_checksum = finding.write_row = finding.write_facts = True
            finding.add_problem("no checksum was taken of it", "taken")
    elif context.compare_checksums and kept not in (None, context.storage.sha256(audio.path)):
        remedy = "left as it is: put back a copy from before"
        finding.add_problem("its bytes are not those that were recorded", remedy)


def _check_other_format(finding: Finding) -> None:
    """Report a file with the same name in another format: it belongs to no recording."""
    if finding.desired is None:
        return
    for audio_format in FORMATS:
        if audio_format in finding.recording.files and audio_format != finding.desired.format:
            finding.add_foreign_file(finding.recording.files[audio_format].path)


def _compare(finding: Finding, facts: Facts | None, unusable: str, base: Facts | None) -> None:
    """Report differences of row and facts file, and set which of them to write."""
    desired, recording = finding.desired, finding.recording
    if desired is None or base is None:
        finding.write_row = finding.write_facts = desired is not None
        return
    in_progress = desired is base and base.state in OPEN_STATES
    if recording.row is None:
        finding.add_problem("there is no row", "taken into the library")
    elif recording.row_path != recording.row.path:
        finding.add_problem(f"the row looks for it at {recording.row_path!r}", "corrected")
    elif base is facts and not in_progress:
        finding.add_problem("the facts beside it say more than the row", "the row follows")
    if facts is None:
        why = f"its facts cannot be used ({unusable})" if unusable else "its facts are gone"
        finding.add_problem(why, "written from the row")
    moved = recording.row is None or recording.row_path != recording.row.path
    finding.write_row |= moved or (not in_progress and recording.row != desired)
    finding.write_facts |= facts is None or (not in_progress and facts != desired)
    if finding.write_facts and not finding.problems:
        finding.add_problem("the facts beside it say other than the row", "written from the row")


def _compare_keep(finding: Finding, row: Facts | None, facts: Facts | None) -> None:
    """Report a tag `keep` that only the facts file has."""
    going_on = finding.desired is None or finding.desired.state in OPEN_STATES
    if row is None or facts is None or (going_on and not finding.finalize):
        return
    if facts.keep and not row.keep:
        finding.add_problem(f"its facts say {KEEP_TAG}, and the tag is gone", "the tag is back")
