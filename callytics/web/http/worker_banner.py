"""What everybody who looks at the library must know: whether calls are being recorded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from callytics.workers.heartbeat import WORKER_SILENT_SECONDS


@dataclass(frozen=True)
class Notice:
    """A banner: what is wrong, what it means, and since when where that is known."""

    title: str
    meaning: str
    seen_at: datetime | None = None
    # Nobody hears of calls, so that what is known of those in progress may be over.
    is_deaf: bool = False


def worker_notice(worker: Any | None, now: datetime) -> Notice | None:
    """What is wrong with the newest worker, or None when all is well."""
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
