"""Rows of PBXs, as their workers write them."""

from datetime import datetime

from callytics.clock import utc_now
from callytics.database.transactions import upsert, writing
from callytics.pbx.models import Pbx


def record_heartbeat(
    name: str,
    started_at: datetime,
    connected_at: datetime | None,
    asterisk_version: str,
    problem: str = "",
) -> None:
    """Record that the worker of a PBX is alive now, and its connection. Needs an app context."""
    values = {
        "name": name,
        "seen_at": utc_now(),
        "started_at": started_at,
        "connected_at": connected_at,
        "asterisk_version": asterisk_version,
        "problem": problem,
    }
    with writing() as connection:
        upsert(connection, Pbx, "name", values)
