"""Orphaned audio: files without row and facts, recorded by the dialplan without a worker."""

import re
from datetime import UTC, datetime, timedelta

from callytics.integrity.inspection import STILL, CheckContext, Finding, Sound, listen
from callytics.recordings.facts import FORMATS, Facts
from callytics.recordings.finalization import CUT_SHORT
from callytics.storage.folder_walk import FileEntry

FOUND = "found without its facts"
# Asterisk opens a file before anybody speaks, and somebody may be rung for a long time.
STALE = timedelta(days=1)
_PLACE = re.compile(r"(\d{4}/\d\d/\d\d)/[^/]+", re.ASCII)


def check_orphan(finding: Finding, context: CheckContext) -> None:
    """Check audio that has neither row nor usable facts, and write the result to `finding`."""
    files = [finding.recording.files[f] for f in FORMATS if f in finding.recording.files]
    if not files:
        finding.leave("facts that cannot be used, of audio that is not there; left alone")
        return
    heard = [(file, listen(context.storage, file)) for file in files]
    found, sound = next((pair for pair in heard if pair[1].is_heard), heard[0])
    facts = facts_of_found(found, 0)
    if facts is None:
        finding.not_ours(found.path)
        return
    age = context.now() - found.modified_at
    if sound.problem:
        finding.leave(f"nothing can be played: {sound.problem}; left alone")
    elif sound.is_empty and age > STALE:
        finding.wrong("an old file without sound that belongs to no recording", "removed")
        finding.remove = [file.path for file, heard_in in heard if heard_in.is_empty]
    elif sound.is_empty:
        finding.leave("a file without sound that belongs to no recording; left alone for a day")
    elif _may_be_written(found, sound, context):
        finding.leave("without facts, and perhaps still being recorded; left alone")
    else:
        # Once its header is whole, nothing else tells that something of it is lost.
        reason = FOUND if sound.finished else f"{FOUND}; {CUT_SHORT}"
        facts = facts_of_found(found, sound.duration_ms)
        finding.desired = facts and facts.but(state_reason=reason)
        finding.finish_header = not sound.finished
        # What has no header to tell its length may still grow.
        finding.take_checksum = found.path.endswith(".wav") or age > STILL
        finding.wrong("a recording without row and facts", f"taken in as {FOUND}")


def _may_be_written(found: FileEntry, sound: Sound, context: CheckContext) -> bool:
    """Asterisk can be asked only for what was recorded through ARI, not for the dialplan's."""
    if sound.finished and found.path.endswith(".wav"):
        return False
    if not sound.finished and context.now() - found.modified_at < STILL:
        return True
    facts = facts_of_found(found, sound.duration_ms)
    return facts is not None and context.is_live(facts) is True


def facts_of_found(found: FileEntry, duration_ms: int) -> Facts | None:
    """Derive facts from a file's path and time; None if it does not lie in a day's folder."""
    place = _PLACE.fullmatch(found.path)
    try:
        day = datetime.strptime(place[1], "%Y/%m/%d").replace(tzinfo=UTC) if place else None
    except ValueError:
        day = None
    if day is None:
        return None
    uid, _, audio_format = found.path.rpartition("/")[2].partition(".")
    length = timedelta(milliseconds=duration_ms)
    # The day in the path is right even where the file was copied since.
    last_moment = day + timedelta(days=1, microseconds=-1)
    started_at = min(max(found.modified_at - length, day), last_moment)
    facts = Facts(
        uid=uid,
        kind="transfer",
        direction="inbound",
        state="available",
        state_reason=FOUND,
        started_at=started_at,
        ended_at=started_at + length,
        duration_ms=duration_ms,
        size_bytes=found.size_bytes,
        format=audio_format,
    )
    return facts if facts.path == found.path else None
