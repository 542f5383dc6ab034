"""Orphaned audio: files without row and facts, which the dialplan recorded without a worker."""

import re
from datetime import UTC, datetime, timedelta

from callytics.integrity.inspection import IDLE, AudioCheck, CheckContext, Finding, check_audio
from callytics.recordings.facts import FORMATS, Facts
from callytics.recordings.finalization import CUT_SHORT
from callytics.storage.folder_walk import FileEntry

FOUND = "found without its facts"
# MixMonitor opens its file before the call is answered, and a phone may ring for a long time.
STALE = timedelta(days=1)
_PATH = re.compile(r"(\d{4}/\d\d/\d\d)/[^/]+", re.ASCII)


def check_orphan(finding: Finding, context: CheckContext) -> None:
    """Check audio that has neither a row nor usable facts; add the result to `finding`."""
    files = [finding.recording.files[f] for f in FORMATS if f in finding.recording.files]
    if not files:
        finding.skip("facts that cannot be used, of audio that is not there; left alone")
        return
    checks = [(file, check_audio(context.storage, file)) for file in files]
    file, audio = next((pair for pair in checks if pair[1].is_playable), checks[0])
    if facts_from_file(file, 0) is None:
        finding.add_foreign_file(file.path)
        return
    age = context.now() - file.modified_at
    if audio.problem:
        finding.skip(f"nothing can be played: {audio.problem}; left alone")
    elif audio.is_empty and age > STALE:
        finding.add_problem("an old file without sound that belongs to no recording", "removed")
        finding.empty_files = [file.path for file, audio in checks if audio.is_empty]
    elif audio.is_empty:
        finding.skip("a file without sound that belongs to no recording; left alone for a day")
    elif _may_be_written(file, audio, context):
        finding.skip("without facts, and perhaps still being recorded; left alone")
    else:
        _adopt(finding, file, audio, age)


def _adopt(finding: Finding, file: FileEntry, audio: AudioCheck, age: timedelta) -> None:
    facts = facts_from_file(file, audio.duration_ms)
    # The repair completes the header, so only the reason says afterwards that audio is lost.
    reason = FOUND if audio.finished else f"{FOUND}; {CUT_SHORT}"
    finding.desired = facts and facts.but(state_reason=reason)
    finding.repair_header = not audio.finished
    # A file without a header does not tell its length, so it may still grow.
    finding.add_checksum = file.path.endswith(".wav") or age > IDLE
    finding.add_problem("a recording without row and facts", f"taken in as {FOUND}")


def _may_be_written(file: FileEntry, audio: AudioCheck, context: CheckContext) -> bool:
    """Return True if the file may grow; ARI lists its own recordings, not the dialplan's."""
    if audio.finished and file.path.endswith(".wav"):
        return False
    if not audio.finished and context.now() - file.modified_at < IDLE:
        return True
    facts = facts_from_file(file, audio.duration_ms)
    return facts is not None and context.is_live(facts) is True


def _day_of(file: FileEntry) -> datetime | None:
    match = _PATH.fullmatch(file.path)
    try:
        return datetime.strptime(match[1], "%Y/%m/%d").replace(tzinfo=UTC) if match else None
    except ValueError:
        return None


def facts_from_file(file: FileEntry, duration_ms: int) -> Facts | None:
    """Return facts from the path and time of a file, or None if it is not in a day's folder."""
    day = _day_of(file)
    if day is None:
        return None
    uid, _, audio_format = file.path.rpartition("/")[2].partition(".")
    length = timedelta(milliseconds=duration_ms)
    # A copy has a later time, but the day in the path stays right.
    last_moment = day + timedelta(days=1, microseconds=-1)
    started_at = min(max(file.modified_at - length, day), last_moment)
    facts = Facts(
        uid=uid,
        kind="transfer",
        direction="inbound",
        state="available",
        state_reason=FOUND,
        started_at=started_at,
        ended_at=started_at + length,
        duration_ms=duration_ms,
        size_bytes=file.size_bytes,
        format=audio_format,
    )
    return facts if facts.path == file.path else None
