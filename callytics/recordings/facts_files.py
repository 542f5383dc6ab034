"""Facts files: the JSON beside each audio file, from which the library can be rebuilt."""

import os
from dataclasses import replace
from pathlib import PurePosixPath

from callytics.json_values import JsonObject
from callytics.plain_text import one_line
from callytics.recordings.facts import Facts
from callytics.storage.folder import Storage

# Facts are under 2 KB; a file that somebody made very large must not fill the memory.
_LARGEST_BYTES = 1 << 20
# The most that the columns of a row can hold.
_LONGEST_MS = (1 << 31) - 1
_MOST_BYTES = (1 << 63) - 1


def write_facts(storage: Storage, facts: Facts, durable: bool = True) -> None:
    """Write the facts atomically beside the audio. Raises StorageError, OSError.

    Without `durable` the file survives the end of this process, but may not survive a crash of the
    machine.
    """
    # A caller's name may hold half of a surrogate pair; the recording must not fail for it.
    storage.write(facts.facts_path, facts.to_json().encode(errors="replace"), durable)


def read_facts(storage: Storage, path: str) -> Facts:
    """Read a facts file, as it can be stored in a row.

    Raises FileNotFoundError, OSError, and ValueError for an unusable one.
    """
    with storage.open(path) as file:
        # Not _LARGEST_BYTES, for which Python would take the memory each time.
        size = os.fstat(file.fileno()).st_size
        return _storable(Facts.from_json(file.read(min(size, _LARGEST_BYTES))))


def _storable(facts: Facts) -> Facts:
    """Return facts that fit into a row, since another program may have written the file."""
    texts = {"call_uid": facts.call_uid, "pbx": facts.pbx, "sha256": facts.sha256 or ""}
    changes: JsonObject = {
        name: one_line(text) for name, text in texts.items() if not text.isprintable()
    }
    if (facts.duration_ms or 0) > _LONGEST_MS or (facts.size_bytes or 0) > _MOST_BYTES:
        changes |= {"duration_ms": None, "size_bytes": None}
    return replace(facts, **changes) if changes else facts


def is_kept(storage: Storage, path: str) -> bool:
    """Return True if the facts beside the audio `path` say that it is kept. Raises OSError."""
    try:
        return read_facts(storage, _facts_path(path)).keep
    except (FileNotFoundError, ValueError):
        return False


def write_kept(storage: Storage, path: str, keep: bool) -> None:
    """Write into the facts beside the audio `path` that it is kept, or no longer. Raises OSError.

    Facts that are missing or unusable are left to `flask recordings reconcile`.
    """
    try:
        facts = read_facts(storage, _facts_path(path))
    except (FileNotFoundError, ValueError):
        return
    if facts.keep != keep:
        write_facts(storage, facts.but(keep=keep))


def _facts_path(path: str) -> str:
    return str(PurePosixPath(path).with_suffix(".json"))
