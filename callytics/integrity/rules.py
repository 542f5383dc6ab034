"""Where row, audio and facts of a recording disagree, and what they should say instead."""

import re
from typing import Any

from callytics.integrity.inspection import (
    PAUSED_STILL,
    STILL,
    Circumstances,
    Sound,
    Verdict,
    listen,
)
from callytics.integrity.inventory import Group, facts_of_group
from callytics.integrity.orphans import judge_found
from callytics.recordings.facts import FORMATS, OPEN_STATES, Facts
from callytics.recordings.finalization import CUT_SHORT, NO_FILE, NO_SOUND, PERHAPS_CUT_SHORT
from callytics.recordings.pauses import is_paused, weight
from callytics.storage.folder_walk import FileEntry

# Of two that differ, the one that says more of the end was written later.
_FINALITY = {"requested": 0, "recording": 1, "available": 2, "failed": 3, "missing": 3}
_NEVER_ASKED = "the worker stopped before Asterisk had begun to record"
_GONE = re.compile(r"the file (?:is|was) gone[^()]*(?:\((?P<before>.*)\))?", re.DOTALL)


def judge(group: Group, around: Circumstances, deleted: bool = False) -> Verdict:
    """Compare what there is of a recording. Raises OSError.

    `deleted` says that somebody began to delete it. Nothing is changed here, and what a verdict
    asks for leads to a recording of which the next verdict has nothing to say.
    """
    verdict = Verdict(group)
    if group.taken:
        verdict.not_ours(verdict.path, "bears the name of a recording of another day")
        return verdict
    facts, unusable = _read(group, around)
    base = _more_final(group.row, facts)
    if base is None:
        judge_found(verdict, around)
    else:
        _judge_known(verdict, around, base, deleted)
    _note_other_format(verdict)
    verdict.keep_facts = bool(unusable) and verdict.desired is not None
    _compare(verdict, facts, unusable, base)
    return verdict


def _read(group: Group, around: Circumstances) -> tuple[Facts | None, str]:
    try:
        return facts_of_group(around.storage, group), ""
    except FileNotFoundError:
        return None, ""
    except ValueError as error:
        return None, str(error)


def _more_final(row: Facts | None, facts: Facts | None) -> Facts | None:
    if row is None or facts is None:
        return row or facts
    return facts if _finality(facts) > _finality(row) else row


def _finality(facts: Facts) -> tuple[int, ...]:
    return (_FINALITY.get(facts.state, 0), *weight(facts.pauses))


def _judge_known(verdict: Verdict, around: Circumstances, base: Facts, deleted: bool) -> None:
    audio = verdict.group.files.get(base.format)
    if deleted and not verdict.group.has_audio:
        verdict.forget = True
        verdict.wrong("its deletion was interrupted", "finished: facts and row removed")
    elif base.state in OPEN_STATES:
        _judge_open(verdict, around, base, audio)
    elif audio is None:
        verdict.desired = _without_audio(verdict, around, base)
    else:
        _judge_audio(verdict, around, base, audio)


def _judge_open(
    verdict: Verdict, around: Circumstances, base: Facts, audio: FileEntry | None
) -> None:
    """Asterisk may still be writing this file."""
    if (why := _may_be_live(verdict.group, around, base)) is not None:
        # The row of one that goes on may be lost, and is wanted now; what it says is not final.
        verdict.desired = base
        if why:
            verdict.leave(why)
        return
    verdict.over, verdict.writes_row, verdict.writes_facts = True, True, True
    reason, ended_at = base.state_reason, base.ended_at
    if audio is None:
        # Of one that was to begin when somebody let it go on, its pause tells more.
        if not is_paused(base.pauses):
            reason = reason or (_NEVER_ASKED if base.state == "requested" else NO_FILE)
        verdict.wrong(f"{base.state!r}, but it is over and there is no file", "failed")
        verdict.desired = base.but(state_reason=reason, ended_at=ended_at or base.started_at)
        return
    if _asterisk_is_another(around, base) and base.format == "ulaw":
        # A `.wav` tells by its header whether Asterisk closed it.
        reason = reason or PERHAPS_CUT_SHORT
    verdict.wrong(f"{base.state!r}, but it is over", "completed by what its file says")
    verdict.desired = base.but(state_reason=reason, ended_at=ended_at or audio.modified_at)
    if listen(around.storage, audio).is_empty:
        verdict.remove.append(audio.path)


def _asterisk_is_another(around: Circumstances, base: Facts) -> bool:
    return around.asterisk_since is not None and base.started_at < around.asterisk_since


def _may_be_live(group: Group, around: Circumstances, base: Facts) -> str | None:
    """None when it surely is over; else why it is left alone, empty where that needs no words."""
    now = around.now()
    audio = group.files.get(base.format)
    touched = max(base.started_at, audio.modified_at) if audio else base.started_at
    idle = now - min(touched, now)
    if idle < around.grace:
        return "touched a moment ago, and a worker runs: left to it"
    live = around.is_live(base)
    # Nothing is added to the file of one that is paused.
    if live is None and idle < (PAUSED_STILL if is_paused(base.pauses) else STILL):
        return "Asterisk cannot be asked whether it is still recording this: left alone"
    return "" if live else None


def _without_audio(verdict: Verdict, around: Circumstances, base: Facts) -> Facts:
    if base.state != "available":
        return base
    verdict.wrong("the file is gone", "missing")
    noticed = f"the file is gone, noticed {around.now():%Y-%m-%d %H:%M} UTC"
    return base.but(state="missing", state_reason=_and_before(noticed, base))


def _and_before(reason: str, base: Facts) -> str:
    """A new reason with the one that it had before, but not with what is over."""
    gone = _GONE.fullmatch(base.state_reason)
    before = (gone["before"] or "") if gone else base.state_reason
    return f"{reason} ({before})" if before else reason


def _judge_audio(verdict: Verdict, around: Circumstances, base: Facts, audio: FileEntry) -> None:
    """It has ended, and there is a file."""
    sound = listen(around.storage, audio)
    # We may have given up a recording which Asterisk makes all the same.
    given_up = base.state == "failed" and (sound.is_empty or not sound.finished)
    if given_up and (why := _may_be_live(verdict.group, around, base)) is not None:
        verdict.desired = base
        verdict.leave(why or "given up, but Asterisk is still recording it: left alone")
    elif not sound.is_heard:
        verdict.desired = _without_sound(verdict, base, sound)
    else:
        verdict.desired = _with_sound(verdict, base, audio, sound)
        _judge_checksum(verdict, around, audio)


def _without_sound(verdict: Verdict, base: Facts, sound: Sound) -> Facts:
    if sound.is_empty:
        verdict.remove.append(base.path)
        verdict.wrong(NO_SOUND, "failed, and the file removed")
    elif base.state != "failed":
        verdict.wrong(f"nothing can be played: {sound.problem}", "failed; the file stays")
    if base.state == "failed":
        return base
    reason = NO_SOUND if sound.is_empty else f"nothing can be played: {sound.problem}"
    reason = _and_before(reason, base)
    return base.but(state="failed", state_reason=reason, duration_ms=None, size_bytes=None)


def _with_sound(verdict: Verdict, base: Facts, audio: FileEntry, sound: Sound) -> Facts:
    true = {"size_bytes": audio.size_bytes, "duration_ms": sound.duration_ms}
    if base.state != "available":
        verdict.wrong(f"{base.state!r}, but its file is there, with sound", "available again")
        was = "was gone for a while" if base.state == "missing" else "is there after all"
        true |= {"state": "available", "state_reason": _and_before(f"the file {was}", base)}
    else:
        _note_measures(verdict, base, true)
    if not sound.finished:
        verdict.finish_header = True
        verdict.wrong("its header was never finished", "mended")
        true["state_reason"] = true.get("state_reason") or base.state_reason or CUT_SHORT
    return base.but(**true)


def _note_measures(verdict: Verdict, base: Facts, true: dict[str, Any]) -> None:
    units = {"size_bytes": "bytes", "duration_ms": "ms"}
    for name, value in true.items():
        said = getattr(base, name)
        if said != value:
            verdict.wrong(f"said to have {said} {units[name]}, has {value}", "corrected")


def _judge_checksum(verdict: Verdict, around: Circumstances, audio: FileEntry) -> None:
    assert verdict.desired is not None
    kept = verdict.desired.sha256
    if kept is None and around.fill_checksums:
        # A file that nobody finishes by a header may still grow.
        quiet = audio.path.endswith(".wav") or around.now() - audio.modified_at > STILL
        if quiet:
            verdict.take_checksum = verdict.writes_row = verdict.writes_facts = True
            verdict.wrong("no checksum was taken of it", "taken")
    elif around.compare_checksums and kept not in (None, around.storage.sha256(audio.path)):
        remedy = "left as it is: put back a copy from before"
        verdict.wrong("its bytes are not those that were recorded", remedy)


def _note_other_format(verdict: Verdict) -> None:
    """The same name with another format: one of them is not ours."""
    desired = verdict.desired
    for audio_format in FORMATS if desired is not None else ():
        if audio_format in verdict.group.files and audio_format != desired.format:
            verdict.not_ours(verdict.group.files[audio_format].path)


def _compare(verdict: Verdict, facts: Facts | None, unusable: str, base: Facts | None) -> None:
    """What has to be written so that row and facts say what is desired."""
    desired, group = verdict.desired, verdict.group
    if desired is None or base is None:
        verdict.writes_row = verdict.writes_facts = desired is not None
        return
    going_on = desired is base and base.state in OPEN_STATES
    if group.row is None:
        verdict.wrong("there is no row", "taken into the library")
    elif group.row_path != group.row.path:
        verdict.wrong(f"the row looks for it at {group.row_path!r}", "corrected")
    elif base is facts and not going_on:
        verdict.wrong("the facts beside it say more than the row", "the row follows")
    if facts is None:
        why = f"its facts cannot be used ({unusable})" if unusable else "its facts are gone"
        verdict.wrong(why, "written from the row")
    moved = group.row is None or group.row_path != group.row.path
    verdict.writes_row |= moved or (not going_on and group.row != desired)
    verdict.writes_facts |= facts is None or (not going_on and facts != desired)
    if verdict.writes_facts and not verdict.says:
        verdict.wrong("the facts beside it say other than the row", "written from the row")
