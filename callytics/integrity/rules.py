"""Consistency rules: disagreements of row, audio and facts, and the state they should have."""

import re
from typing import Any

from callytics.integrity.inspection import (
    PAUSED_STILL,
    STILL,
    CheckContext,
    Finding,
    Sound,
    listen,
)
from callytics.integrity.inventory import RecordingFiles, facts_of_recording
from callytics.integrity.orphans import check_orphan
from callytics.recordings.facts import FORMATS, OPEN_STATES, Facts
from callytics.recordings.finalization import CUT_SHORT, NO_FILE, NO_SOUND, PERHAPS_CUT_SHORT
from callytics.recordings.pauses import completeness, is_paused
from callytics.storage.folder_walk import FileEntry

# Of two that differ, the one that says more of the end was written later.
_FINALITY = {"requested": 0, "recording": 1, "available": 2, "failed": 3, "missing": 3}
_NEVER_ASKED = "the worker stopped before Asterisk had begun to record"
_GONE = re.compile(r"the file (?:is|was) gone[^()]*(?:\((?P<before>.*)\))?", re.DOTALL)


def check_recording(
    recording: RecordingFiles, context: CheckContext, deleted: bool = False
) -> Finding:
    """Compare row, audio and facts of a recording. Raises OSError.

    `deleted` says that somebody began to delete it. Nothing is changed here, and what a finding
    asks for leads to a recording of which the next finding has nothing to say.
    """
    finding = Finding(recording)
    if recording.taken:
        finding.not_ours(finding.path, "bears the name of a recording of another day")
        return finding
    facts, unusable = _read(recording, context)
    base = _more_final(recording.row, facts)
    if base is None:
        check_orphan(finding, context)
    else:
        _check_known(finding, context, base, deleted)
    _note_other_format(finding)
    finding.keep_facts = bool(unusable) and finding.desired is not None
    _compare(finding, facts, unusable, base)
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
    return facts if _finality(facts) > _finality(row) else row


def _finality(facts: Facts) -> tuple[int, ...]:
    return (_FINALITY.get(facts.state, 0), *completeness(facts.pauses))


def _check_known(finding: Finding, context: CheckContext, base: Facts, deleted: bool) -> None:
    audio = finding.recording.files.get(base.format)
    if deleted and not finding.recording.has_audio:
        finding.forget = True
        finding.wrong("its deletion was interrupted", "finished: facts and row removed")
    elif base.state in OPEN_STATES:
        _check_open(finding, context, base, audio)
    elif audio is None:
        finding.desired = _without_audio(finding, context, base)
    else:
        _check_audio(finding, context, base, audio)


def _check_open(
    finding: Finding, context: CheckContext, base: Facts, audio: FileEntry | None
) -> None:
    """Asterisk may still be writing this file."""
    if (why := _may_be_live(finding.recording, context, base)) is not None:
        # The row of one that goes on may be lost, and is wanted now; what it says is not final.
        finding.desired = base
        if why:
            finding.leave(why)
        return
    finding.over, finding.writes_row, finding.writes_facts = True, True, True
    reason, ended_at = base.state_reason, base.ended_at
    if audio is None:
        # Of one that was to begin when somebody let it go on, its pause tells more.
        if not is_paused(base.pauses):
            reason = reason or (_NEVER_ASKED if base.state == "requested" else NO_FILE)
        finding.wrong(f"{base.state!r}, but it is over and there is no file", "failed")
        finding.desired = base.but(state_reason=reason, ended_at=ended_at or base.started_at)
        return
    if _asterisk_is_another(context, base) and base.format == "ulaw":
        # A `.wav` tells by its header whether Asterisk closed it.
        reason = reason or PERHAPS_CUT_SHORT
    finding.wrong(f"{base.state!r}, but it is over", "completed by what its file says")
    finding.desired = base.but(state_reason=reason, ended_at=ended_at or audio.modified_at)
    if listen(context.storage, audio).is_empty:
        finding.remove.append(audio.path)


def _asterisk_is_another(context: CheckContext, base: Facts) -> bool:
    return context.asterisk_since is not None and base.started_at < context.asterisk_since


def _may_be_live(recording: RecordingFiles, context: CheckContext, base: Facts) -> str | None:
    """Return None if it has ended; otherwise the reason to skip it, empty if it needs no words."""
    now = context.now()
    audio = recording.files.get(base.format)
    touched = max(base.started_at, audio.modified_at) if audio else base.started_at
    idle = now - min(touched, now)
    if idle < context.grace:
        return "touched a moment ago, and a worker runs: left to it"
    live = context.is_live(base)
    # Nothing is added to the file of one that is paused.
    if live is None and idle < (PAUSED_STILL if is_paused(base.pauses) else STILL):
        return "Asterisk cannot be asked whether it is still recording this: left alone"
    return "" if live else None


def _without_audio(finding: Finding, context: CheckContext, base: Facts) -> Facts:
    if base.state != "available":
        return base
    finding.wrong("the file is gone", "missing")
    noticed = f"the file is gone, noticed {context.now():%Y-%m-%d %H:%M} UTC"
    return base.but(state="missing", state_reason=_and_before(noticed, base))


def _and_before(reason: str, base: Facts) -> str:
    """Return a new reason followed by the earlier one, unless that no longer holds."""
    gone = _GONE.fullmatch(base.state_reason)
    before = (gone["before"] or "") if gone else base.state_reason
    return f"{reason} ({before})" if before else reason


def _check_audio(finding: Finding, context: CheckContext, base: Facts, audio: FileEntry) -> None:
    """It has ended, and there is a file."""
    sound = listen(context.storage, audio)
    # We may have given up a recording which Asterisk makes all the same.
    given_up = base.state == "failed" and (sound.is_empty or not sound.finished)
    if given_up and (why := _may_be_live(finding.recording, context, base)) is not None:
        finding.desired = base
        finding.leave(why or "given up, but Asterisk is still recording it: left alone")
    elif not sound.is_heard:
        finding.desired = _without_sound(finding, base, sound)
    else:
        finding.desired = _with_sound(finding, base, audio, sound)
        _check_checksum(finding, context, audio)


def _without_sound(finding: Finding, base: Facts, sound: Sound) -> Facts:
    if sound.is_empty:
        finding.remove.append(base.path)
        finding.wrong(NO_SOUND, "failed, and the file removed")
    elif base.state != "failed":
        finding.wrong(f"nothing can be played: {sound.problem}", "failed; the file stays")
    if base.state == "failed":
        return base
    reason = NO_SOUND if sound.is_empty else f"nothing can be played: {sound.problem}"
    reason = _and_before(reason, base)
    return base.but(state="failed", state_reason=reason, duration_ms=None, size_bytes=None)


def _with_sound(finding: Finding, base: Facts, audio: FileEntry, sound: Sound) -> Facts:
    true: dict[str, Any] = {"size_bytes": audio.size_bytes, "duration_ms": sound.duration_ms}
    if base.state != "available":
        finding.wrong(f"{base.state!r}, but its file is there, with sound", "available again")
        was = "was gone for a while" if base.state == "missing" else "is there after all"
        true |= {"state": "available", "state_reason": _and_before(f"the file {was}", base)}
    else:
        _note_measures(finding, base, true)
    if not sound.finished:
        finding.finish_header = True
        finding.wrong("its header was never finished", "mended")
        true["state_reason"] = true.get("state_reason") or base.state_reason or CUT_SHORT
    return base.but(**true)


def _note_measures(finding: Finding, base: Facts, true: dict[str, Any]) -> None:
    units = {"size_bytes": "bytes", "duration_ms": "ms"}
    for name, value in true.items():
        said = getattr(base, name)
        if said != value:
            finding.wrong(f"said to have {said} {units[name]}, has {value}", "corrected")


def _check_checksum(finding: Finding, context: CheckContext, audio: FileEntry) -> None:
    assert finding.desired is not None
    kept = finding.desired.sha256
    if kept is None and context.fill_checksums:
        # A file that nobody finishes by a header may still grow.
        quiet = audio.path.endswith(".wav") or context.now() - audio.modified_at > STILL
        if quiet:
            finding.take_checksum = finding.writes_row = finding.writes_facts = True
            finding.wrong("no checksum was taken of it", "taken")
    elif context.compare_checksums and kept not in (None, context.storage.sha256(audio.path)):
        remedy = "left as it is: put back a copy from before"
        finding.wrong("its bytes are not those that were recorded", remedy)


def _note_other_format(finding: Finding) -> None:
    """The same name with another format: one of them is not ours."""
    if finding.desired is None:
        return
    for audio_format in FORMATS:
        if audio_format in finding.recording.files and audio_format != finding.desired.format:
            finding.not_ours(finding.recording.files[audio_format].path)


def _compare(finding: Finding, facts: Facts | None, unusable: str, base: Facts | None) -> None:
    """Decide whether row and facts must be written to have the desired state."""
    desired, recording = finding.desired, finding.recording
    if desired is None or base is None:
        finding.writes_row = finding.writes_facts = desired is not None
        return
    going_on = desired is base and base.state in OPEN_STATES
    if recording.row is None:
        finding.wrong("there is no row", "taken into the library")
    elif recording.row_path != recording.row.path:
        finding.wrong(f"the row looks for it at {recording.row_path!r}", "corrected")
    elif base is facts and not going_on:
        finding.wrong("the facts beside it say more than the row", "the row follows")
    if facts is None:
        why = f"its facts cannot be used ({unusable})" if unusable else "its facts are gone"
        finding.wrong(why, "written from the row")
    moved = recording.row is None or recording.row_path != recording.row.path
    finding.writes_row |= moved or (not going_on and recording.row != desired)
    finding.writes_facts |= facts is None or (not going_on and facts != desired)
    if finding.writes_facts and not finding.problems:
        finding.wrong("the facts beside it say other than the row", "written from the row")
