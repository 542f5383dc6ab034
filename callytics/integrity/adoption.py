"""Adoption of the recordings folder: marks it as that of this database, if it plausibly is.

Done once for a new installation, and for one from before folders were marked. Needs an app context.
"""

from collections.abc import Sequence

from callytics.identifiers import new_uid
from callytics.integrity import inventory
from callytics.recordings.facts import Facts
from callytics.recordings.folder_identity import load_identity, store_id, stored_id
from callytics.storage.folder import Storage

# Recordings from each end of the folder whose files are looked for.
_SAMPLE_SIZE = 50


def folder_problem(storage: Storage) -> str | None:
    """Return why this is not the folder of these rows, or None. Raises OSError."""
    load_identity(storage)
    problem = _implausible(storage) if storage.expected_id is None else storage.identity_problem()
    if problem and storage.expected_id and not inventory.any_available():
        problem = None
    storage.wrong_folder = problem or ""
    return problem


def adopt(storage: Storage) -> str | None:
    """Mark the folder unless it is marked; return why it cannot be the right one, or None.

    Raises OSError if the marker cannot be written.
    """
    if problem := folder_problem(storage):
        return problem
    if storage.expected_id is None or storage.identity_problem():
        _mark(storage, replace=storage.expected_id is not None)
    return None


def accept(storage: Storage) -> None:
    """Mark the folder as the right one because the operator says so. Raises OSError."""
    _mark(storage, replace=True)


def _mark(storage: Storage, replace: bool) -> None:
    # The folder comes first: an id in the database without its marker would look like a lost disk.
    folder_id = storage.folder_id() or storage.mark(stored_id() or new_uid())
    store_id(folder_id, replace)
    load_identity(storage)
    storage.wrong_folder = ""


def _implausible(storage: Storage) -> str | None:
    """Return the reason to suspect that a folder without marker is not the one of these rows.

    Both ends count: calls that were recorded after a disk was lost are all there.
    """
    ends = inventory.samples(_SAMPLE_SIZE)
    known = {facts.uid: facts for end in ends for facts in end}
    there = _present(storage, list(known.values()))
    many = len(known) >= _SAMPLE_SIZE // 5
    few = many and any(2 * _present(storage, end) < len(end) for end in ends)
    if not few and not (known and storage.is_empty()):
        return None
    return (
        f"RECORDINGS_DIR: of {len(known)} recordings that should be in {storage.root}, {there} "
        "are. Nothing was changed: see whether the right folder is set and its disk is mounted"
    )


def _present(storage: Storage, sample: Sequence[Facts]) -> int:
    return sum(any(map(storage.stat, (f.path, f.facts_path))) for f in sample if "/" not in f.uid)
