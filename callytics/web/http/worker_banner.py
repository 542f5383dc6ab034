"""Banner above the lists while calls are not recorded, or may not be."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from callytics.pbx.heartbeat import WORKER_SILENT_SECONDS, WorkerRow


@dataclass(frozen=True)
class Notice:
    """Banner: what is wrong, what it means, and when the worker was last seen, where known."""

    title: str
    meaning: str
    seen_at: datetime | None = None
    # No events arrive, so calls shown as in progress may be over.
    is_deaf: bool = False


def worker_notice(worker: WorkerRow | None, now: datetime) -> Notice | None:
    """Return the banner for the newest worker, or None if it is well."""
    silent_since = now - timedelta(seconds=WORKER_SILENT_SECONDS)
    if worker is None or worker.seen_at < silent_since:
        return Notice(
            "The worker is not running.",
            "Callytics takes no calls and starts no recordings until it runs again.",
            worker.seen_at if worker else None,
            is_deaf=True,
        )
    if worker.connected_at is None:
        why = f" It says: {worker.problem}" if worker.problem else ""
        return Notice(
            "The worker has no connection to Asterisk.",
            f"No recordings are started until it has. It keeps trying.{why}",
            is_deaf=True,
        )
    if worker.problem:
        return Notice("The worker reports a problem.", worker.problem)
    return None
