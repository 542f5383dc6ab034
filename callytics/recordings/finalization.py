"""What became of a recording, told by the file itself and not by Asterisk's word."""

import contextlib
from datetime import datetime

from callytics.audio import wav
from callytics.recordings import pauses
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import read_facts, write_facts
from callytics.storage.folder import Storage
from callytics.storage.health import folder_problem

# Asterisk starts and stops writing a little after it says so; less than this is not a loss.
TOLERANCE_MS = 2000
CUT_SHORT = "cut short: Asterisk stopped before it had finished the file"
# Of a `.ulaw`, which has no header that would tell.
PERHAPS_CUT_SHORT = "perhaps cut short: Asterisk stopped, and up to four seconds may be lost"
NO_SOUND = "the file holds no sound"
NO_FILE = "Asterisk wrote no file"


def complete(
    storage: Storage,
    facts: Facts,
    ended_at: datetime,
    reason: str = "",
    expected_ms: int | None = None,
) -> Facts:
    """The final facts of a recording that Asterisk has closed.

    The file's bytes say whether there is audio and how long it is. `expected_ms` is how long it
    went on by the clock without its pauses, where that is known; `reason` says why it ended
    otherwise than by our own wish. Raises OSError when the folder cannot be read.
    """
    full = storage.resolve(facts.path)
    said_before = _said_before(storage, facts)
    reason = reason or facts.state_reason or said_before.state_reason
    facts = facts.but(pauses=pauses.fuller(facts.pauses, said_before.pauses))
    try:
        sound = wav.inspect(full)
        if sound.data_bytes and not sound.finished:
            reason = reason or CUT_SHORT
            finish(storage, facts.but(state_reason=reason, ended_at=ended_at))
    except FileNotFoundError:
        return _failed(storage, facts, ended_at, reason, NO_FILE)
    except ValueError as error:
        return _failed(storage, facts, ended_at, reason, f"nothing can be played: {error}")
    if sound.data_bytes == 0:
        return _failed(storage, facts, ended_at, reason, NO_SOUND)
    spans = pauses.finished(facts.pauses, ended_at, sound.duration_ms)
    missing_ms = (expected_ms or 0) - sound.duration_ms
    if not reason and missing_ms > TOLERANCE_MS:
        reason = f"cut short: Asterisk did not write {missing_ms / 1000:.1f} s of it"
        reason = "; ".join(filter(None, (reason, folder_problem(storage))))
    return facts.but(
        state="available",
        state_reason=reason,
        ended_at=ended_at,
        duration_ms=sound.duration_ms,
        size_bytes=full.stat().st_size,
        sha256=storage.sha256(facts.path),
        pauses=spans,
    )


def _said_before(storage: Storage, facts: Facts) -> Facts:
    """The facts beside the audio, which may say more than ours.

    Why the recording was cut short, by one who mended the file before us; that it was paused, by
    one who died in that instant.
    """
    try:
        return read_facts(storage, facts.facts_path)
    except (OSError, ValueError):
        return facts


def finish(storage: Storage, facts: Facts) -> None:
    """Mend the header of a `.wav`. Raises OSError, ValueError.

    The facts go first: once the header is whole, nothing else tells that something is lost.
    """
    with contextlib.suppress(OSError):
        write_facts(storage, facts)
    wav.finish_wav_header(storage.resolve(facts.path))


def _failed(storage: Storage, facts: Facts, ended_at: datetime, reason: str, found: str) -> Facts:
    spans = pauses.finished(facts.pauses, ended_at, 0)
    if pauses.is_paused(facts.pauses) and found in (NO_FILE, NO_SOUND):
        found = "paused before anything was recorded, and not let go on"
    else:
        # A folder that is gone or full explains more than what is found in it.
        found = folder_problem(storage) or found
    said = {"state_reason": reason or found, "ended_at": ended_at, "pauses": spans}
    return facts.but(state="failed", size_bytes=None, **said)
