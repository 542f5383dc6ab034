"""Heartbeats of PBXs, as pages and health checks read them. Needs an app context.

A PBX that was given up is not among them: nobody waits for it any more.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol, cast

from sqlalchemy import Connection, Select, delete, select

from callytics.clock import utc_now
from callytics.database.reading import read
from callytics.database.server_clock import moment_before
from callytics.database.transactions import writing
from callytics.pbx.models import Pbx

# A worker reports every few seconds; after this silence it counts as gone.
WORKER_SILENT_SECONDS = 30
_COLUMNS = (
    *(Pbx.name, Pbx.seen_at, Pbx.connected_at),
    *(Pbx.asterisk_version, Pbx.problem, Pbx.given_up_at),
)


class PbxRow(Protocol):
    """Last heartbeat of a PBX."""

    name: str
    seen_at: datetime
    connected_at: datetime | None
    asterisk_version: str
    problem: str
    given_up_at: datetime | None


def all_pbxs() -> Sequence[PbxRow]:
    """Return every PBX that ever reported, by name."""
    return cast(Sequence[PbxRow], read(select(*_COLUMNS).order_by(Pbx.name)))


def living_pbxs() -> Sequence[PbxRow]:
    """Return the PBXs that have not been given up, by name."""
    query = select(*_COLUMNS).where(Pbx.given_up_at.is_(None)).order_by(Pbx.name)
    return cast(Sequence[PbxRow], read(query))


def names_heard_within(connection: Connection, silence: timedelta) -> Select[str]:
    """Return the query of the PBXs whose worker has reported within `silence`."""
    return select(Pbx.name).where(Pbx.seen_at > moment_before(connection, silence))


def forget(name: str) -> None:
    """Delete a PBX that another has taken over."""
    with writing() as connection:
        connection.execute(delete(Pbx).where(Pbx.name == name))


def is_silent(pbx: PbxRow, now: datetime) -> bool:
    """Return True if its worker has not reported for so long that it must be gone."""
    return now - pbx.seen_at > timedelta(seconds=WORKER_SILENT_SECONDS)


def is_any_running(pbxs: Sequence[PbxRow]) -> bool:
    """Return True if the worker of one of these PBXs runs."""
    return any(not is_silent(pbx, utc_now()) for pbx in pbxs)


def is_any_connected(pbxs: Sequence[PbxRow]) -> bool:
    """Return True if one of these PBXs can lead a call now."""
    return any(pbx.connected_at and not is_silent(pbx, utc_now()) for pbx in pbxs)


def worker_problem(pbxs: Sequence[PbxRow]) -> str | None:
    """Return which workers of these PBXs are not running, or None if all are."""
    if not pbxs:
        return "no worker has ever run: start one with python -m worker"
    now, several = utc_now(), len(pbxs) > 1
    return "; ".join(_silence(pbx, now, several) for pbx in pbxs if is_silent(pbx, now)) or None


def _silence(pbx: PbxRow, now: datetime, with_name: bool) -> str:
    seconds = (now - pbx.seen_at).total_seconds()
    of = f" of PBX {pbx.name}" if with_name else ""
    return f"no worker{of} has been seen for {seconds:.0f} seconds: start it again"
