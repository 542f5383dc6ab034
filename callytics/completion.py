"""What became of a recording, told by the file itself and not by Asterisk's word."""

from datetime import datetime

from callytics import audio
from callytics.checks import folder_problem
from callytics.facts import Facts
from callytics.storage import Storage

# Asterisk starts and stops writing a little after it says so; less than this is not a loss.
TOLERANCE_MS = 2000


def complete(
    storage: Storage,
    facts: Facts,
    ended_at: datetime,
    reason: str = "",
    expected_ms: int | None = None,
) -> Facts:
    """The final facts of a recording that Asterisk has closed.

    The file's bytes say whether there is audio and how long it is. `expected_ms` is how long it
    went on by the clock, where that is known; `reason` says why it ended otherwise than by our
    own wish. Raises OSError when the folder cannot be read.
    """
    full = storage.resolve(facts.path)
    try:
        mended = facts.format == "wav" and audio.finish_wav_header(full)
        sound = audio.inspect(full)
    except FileNotFoundError:
        return _failed(storage, facts, ended_at, reason, "Asterisk wrote no file")
    except ValueError as error:
        return _failed(storage, facts, ended_at, reason, f"nothing can be played: {error}")
    if sound.data_bytes == 0:
        return _failed(storage, facts, ended_at, reason, "the file holds no sound")
    if mended:
        reason = reason or "cut short: Asterisk stopped before it had finished the file"
    elif not reason and (expected_ms or 0) - sound.duration_ms > TOLERANCE_MS:
        reason = "cut short: the file is shorter than the recording was; is the disk full?"
    return facts.but(
        state="available",
        state_reason=reason,
        ended_at=ended_at,
        duration_ms=sound.duration_ms,
        size_bytes=full.stat().st_size,
    )


def _failed(storage: Storage, facts: Facts, ended_at: datetime, reason: str, found: str) -> Facts:
    # A folder that is gone or full explains more than what is found in it.
    reason = reason or folder_problem(storage) or found
    return facts.but(state="failed", state_reason=reason, ended_at=ended_at, size_bytes=None)
