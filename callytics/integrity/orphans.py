"""Audio of which nobody wrote down anything: recorded by the dialplan while the worker was away."""

import re
from datetime import UTC, datetime, timedelta

from callytics.integrity.inspection import STILL, Circumstances, Sound, Verdict, listen
from callytics.recordings.facts import FORMATS, Facts
from callytics.recordings.finalization import CUT_SHORT
from callytics.storage.folder_walk import FileEntry

FOUND = "found without its facts"
# Asterisk opens a file before anybody speaks, and somebody may be rung for a long time.
STALE = timedelta(days=1)
_PLACE = re.compile(r"(\d{4})/(\d\d)/(\d\d)/[^/]+", re.ASCII)


def judge_found(verdict: Verdict, around: Circumstances) -> None:
    """Judge audio that has neither row nor usable facts; `verdict` says what is to be done."""
    files = [verdict.group.files[f] for f in FORMATS if f in verdict.group.files]
    if not files:
        verdict.leave("facts that cannot be used, of audio that is not there; left alone")
        return
    heard = [(file, listen(around.storage, file)) for file in files]
    found, sound = next((pair for pair in heard if pair[1].is_heard), heard[0])
    facts = facts_of_found(found, 0)
    if facts is None:
        verdict.not_ours(found.path)
        return
    age = around.now() - found.modified_at
    if sound.problem:
        verdict.leave(f"nothing can be played: {sound.problem}; left alone")
    elif sound.is_empty and age > STALE:
        verdict.wrong("an old file without sound that belongs to no recording", "removed")
        verdict.remove = [file.path for file, heard_in in heard if heard_in.is_empty]
    elif sound.is_empty:
        verdict.leave("a file without sound that belongs to no recording; left alone for a day")
    elif _may_be_written(found, sound, around):
        verdict.leave("without facts, and perhaps still being recorded; left alone")
    else:
        # Once its header is whole, nothing else tells that something of it is lost.
        reason = FOUND if sound.finished else f"{FOUND}; {CUT_SHORT}"
        facts = facts_of_found(found, sound.duration_ms)
        verdict.desired = facts and facts.but(state_reason=reason)
        verdict.finish_header = not sound.finished
        # What has no header to tell its length may still grow.
        verdict.take_checksum = found.path.endswith(".wav") or age > STILL
        verdict.wrong("a recording without row and facts", f"taken in as {FOUND}")


def _may_be_written(found: FileEntry, sound: Sound, around: Circumstances) -> bool:
    """Asterisk can be asked only for what was recorded through ARI, not for the dialplan's."""
    if sound.finished and found.path.endswith(".wav"):
        return False
    if not sound.finished and around.now() - found.modified_at < STILL:
        return True
    facts = facts_of_found(found, sound.duration_ms)
    return facts is not None and around.is_live(facts) is True


def facts_of_found(found: FileEntry, duration_ms: int) -> Facts | None:
    """What the place and the age of a file tell; None where it does not lie in a day's folder."""
    place = _PLACE.fullmatch(found.path)
    try:
        day = datetime(*map(int, place.groups()), tzinfo=UTC) if place else None
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
