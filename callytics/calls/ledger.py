"""Writes of calls, the only code that changes them. Needs an app context; safe to repeat."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import case, func, update

from callytics.calls.models import Call
from callytics.clock import utc_now
from callytics.database.transactions import upsert, writing


def save_call(call: Mapping[str, object]) -> None:
    """Write the row of a call: column names and values, including `uid`."""
    with writing() as connection:
        upsert(connection, Call, "uid", call)


def reassign_open_calls(old: str, new: str) -> None:
    """Give the open calls of one PBX to another, which leads them on."""
    own = update(Call).where(Call.pbx == old, Call.ended_at.is_(None))
    with writing() as connection:
        connection.execute(own.values(pbx=new))


def close_lost_calls(pbx: str, seen_at: datetime, reason: str) -> None:
    """End the open calls of a PBX that never came back, as of when it was last seen.

    If it comes back all the same, its worker writes what it knows of them.
    """
    ended_at = case((Call.started_at > seen_at, Call.started_at), else_=seen_at)
    disposition = func.coalesce(Call.disposition, "failed")
    lost = update(Call).where(Call.pbx == pbx, Call.ended_at.is_(None))
    with writing() as connection:
        values = {"ended_at": ended_at, "disposition": disposition, "problem": reason}
        connection.execute(lost.values(**values))


def close_calls(pbx: str, live: Sequence[str]) -> None:
    """End the calls of `pbx` that are open but not among the uids `live`.

    They ended while its worker was away.
    """
    lost = (Call.pbx == pbx, Call.ended_at.is_(None), Call.uid.not_in(live))
    disposition = func.coalesce(Call.disposition, "abandoned")
    closed = update(Call).where(*lost).values(ended_at=utc_now(), disposition=disposition)
    with writing() as connection:
        connection.execute(closed)
