"""Writes of calls, the only code that changes them. Needs an app context; safe to repeat."""

from collections.abc import Mapping, Sequence

from sqlalchemy import func, update

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


def close_calls(pbx: str, live: Sequence[str]) -> None:
    """End the calls of `pbx` that are open but not among the uids `live`.

    They ended while its worker was away.
    """
    lost = (Call.pbx == pbx, Call.ended_at.is_(None), Call.uid.not_in(live))
    disposition = func.coalesce(Call.disposition, "abandoned")
    closed = update(Call).where(*lost).values(ended_at=utc_now(), disposition=disposition)
    with writing() as connection:
        connection.execute(closed)
