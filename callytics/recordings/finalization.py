"""Finalization: the facts of a recording that Asterisk has closed, read from the file itself."""

import contextlib
from datetime import datetime

from callytics.audio import wav
from callytics.recordings import pauses
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import read_facts, write_facts
from callytics.storage.folder import Storage
from callytics.storage.health import folder_problem

# Asterisk starts and stops writing a little after its events; a smaller difference is no loss.
TOLERANCE_MS = 2000
CUT_SHORT = "cut short: Asterisk stopped before it had finished the file"
# For a `.ulaw` file, which has no header that would show it.
PERHAPS_CUT_SHORT = "perhaps cut short: Asterisk stopped, and up to four seconds may be lost"
NO_SOUND = "the file holds no sound"
NO_FILE = "Asterisk wrote no file"


def finalize(
    storage: Storage,
    facts: Facts,
    ended_at: datetime,
    reason: str = "",
    expected_ms: int | None = None,
) -> Facts:
    """Return the final facts: `available` with length, size and checksum, or `failed`.

    `expected_ms` is the length by the clock without pauses, if known; `reason` says why the
    recording ended, unless Callytics stopped it. Raises OSError if the folder cannot be read.
    """
    full = storage.resolve(facts.path)
    on_disk = _facts_on_disk(storage, facts)
    reason = reason or facts.state_reason or on_disk.state_reason
    facts = facts.but(
        pauses=pauses.more_complete(facts.pauses, on_disk.pauses),
        keep=facts.keep or on_disk.keep,
    )
    try:
        sound = wav.inspect(full)
        if sound.data_bytes and not sound.finished:
            reason = reason or CUT_SHORT
            repair_header(storage, facts.but(state_reason=reason, ended_at=ended_at))
    except FileNotFoundError:
        return _failed(storage, facts, ended_at, reason, NO_FILE)
    except ValueError as error:
        return _failed(storage, facts, ended_at, reason, f"nothing can be played: {error}")
    if sound.data_bytes == 0:
        return _failed(storage, facts, ended_at, reason, NO_SOUND)
    spans = pauses.closed(facts.pauses, ended_at, sound.duration_ms)
    missing_ms = (expected_ms or 0) - sound.duration_ms
    if not reason and missing_ms > TOLERANCE_MS:
        reason = f"cut short: Asterisk did not write {missing_ms / 1000:.1f} s of it"
        reason = "; ".join(filter(None, (reason, folder_problem(storage))))
    reason = "; ".join(filter(None, (reason, storage.wrong_folder)))
    return facts.but(
        state="available",
        state_reason=reason,
        ended_at=ended_at,
        duration_ms=sound.duration_ms,
        size_bytes=full.stat().st_size,
        sha256=storage.sha256(facts.path),
        pauses=spans,
    )


def _facts_on_disk(storage: Storage, facts: Facts) -> Facts:
    """Return the facts beside the audio, which may be newer, or `facts` if there are none.

    They have a reason if another process repaired the header and died before it wrote the row, and
    a pause if the worker died right after it had asked for it.
    """
    try:
        return read_facts(storage, facts.facts_path)
    except (OSError, ValueError):
        return facts


def repair_header(storage: Storage, facts: Facts) -> None:
    """Write the sizes into the header of a `.wav`. Raises OSError, ValueError.

    The facts are written first: after the repair, nothing else shows that something is lost.
    """
    with contextlib.suppress(OSError):
        write_facts(storage, facts)
    wav.finish_wav_header(storage.resolve(facts.path))


def _failed(storage: Storage, facts: Facts, ended_at: datetime, reason: str, found: str) -> Facts:
    spans = pauses.closed(facts.pauses, ended_at, 0)
    if pauses.is_paused(facts.pauses) and found in (NO_FILE, NO_SOUND):
        found = "paused before anything was recorded, and not let go on"
    else:
        # A folder that is missing or full explains more than the state of the file.
        found = folder_problem(storage) or found
    return facts.but(
        state="failed",
        state_reason=reason or found,
        ended_at=ended_at,
        size_bytes=None,
        pauses=spans,
    )
