"""Facts files: the JSON beside each audio file, from which the library can be rebuilt."""

from callytics.recordings.facts import Facts
from callytics.storage.folder import Storage

# Facts are under 2 KB; a file that somebody made very large must not fill the memory.
_LARGEST_BYTES = 1 << 20


def write_facts(storage: Storage, facts: Facts, durable: bool = True) -> None:
    """Write the facts atomically beside the audio. Raises StorageError, OSError.

    Without `durable` the file survives the end of this process, but may not survive a crash of the
    machine.
    """
    # A caller's name may hold half of a surrogate pair; the recording must not fail for it.
    storage.write(facts.facts_path, facts.to_json().encode(errors="replace"), durable)


def read_facts(storage: Storage, path: str) -> Facts:
    """Read a facts file. Raises FileNotFoundError, OSError, and ValueError for an unusable one."""
    with storage.open(path) as file:
        return Facts.from_json(file.read(_LARGEST_BYTES))
