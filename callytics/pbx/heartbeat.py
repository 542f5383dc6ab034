"""Heartbeat of PBXs: written by the worker of each, read by pages and health checks.

Needs an app context.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, cast

from sqlalchemy import delete, select

from callytics.clock import utc_now
from callytics.database.reading import read, read_first
from callytics.database.transactions import writing
from callytics.pbx.models import Pbx

# A worker reports every few seconds; after this silence it counts as gone.
WORKER_SILENT_SECONDS = 30
_COLUMNS = (
    *(Pbx.name, Pbx.seen_at, Pbx.connected_at),
    *(Pbx.asterisk_version, Pbx.problem),
)


class WorkerRow(Protocol):
    """Last heartbeat of a worker."""

    name: str
    seen_at: datetime
    connected_at: datetime | None
    asterisk_version: str
    problem: str


def forget(name: str) -> None:
    """Delete a PBX that another has taken over."""
    with writing() as connection:
        connection.execute(delete(Pbx).where(Pbx.name == name))


def living_names() -> set[str]:
    """Return the names of the PBXs that have not been given up."""
    query = select(Pbx.name).where(Pbx.given_up_at.is_(None))
    return {row.name for row in read(query)}


def newest_worker() -> WorkerRow | None:
    """Return the worker that reported last, or None if there never was one."""
    query = select(*_COLUMNS).order_by(Pbx.seen_at.desc()).limit(1)
    return cast(WorkerRow | None, read_first(query))


def all_workers() -> Sequence[WorkerRow]:
    """Return every worker that ever reported, by name."""
    return cast(Sequence[WorkerRow], read(select(*_COLUMNS).order_by(Pbx.name)))


def worker_problem(worker: WorkerRow | None) -> str | None:
    """Return why the worker that reported last is not running, or None if it is."""
    if worker is None:
        return "no worker has ever run: start one with python -m worker"
    silent = utc_now() - worker.seen_at
    if silent > timedelta(seconds=WORKER_SILENT_SECONDS):
        return f"no worker has been seen for {silent.total_seconds():.0f} seconds: start it again"
    return None
