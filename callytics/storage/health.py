"""Health check of the recordings folder. Used by `flask doctor`, `/readyz` and the worker."""

from callytics.storage.folder import Storage

# Below this a disk counts as full: it is about one minute of a call.
FULL_MB = 10


def folder_problem(storage: Storage, least_mb: int = FULL_MB) -> str | None:
    """Return why recordings cannot be stored, or that less than `least_mb` MB are free, or None."""
    try:
        if problem := storage.access_problem():
            return problem
        problems = storage.identity_problem(), _space_problem(storage, max(least_mb, FULL_MB))
    except OSError as error:
        return f"RECORDINGS_DIR: {storage.root} cannot be looked at ({error.strerror or error})"
    return ". ".join(filter(None, problems)) or None


def _space_problem(storage: Storage, least_mb: int) -> str | None:
    free_mb = storage.free_bytes() >> 20
    if free_mb >= least_mb:
        return None
    return (
        f"RECORDINGS_DIR: {free_mb} MB are left where {storage.root} is; "
        "make room, or calls will not be recorded"
    )
