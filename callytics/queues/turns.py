"""Turns of waiting callers over all PBXs of a database: who is first, and who is busy elsewhere.

Each worker knows its own callers and members. What the other PBXs do stands in the database only.
Needs an app context.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, exists, select, update

from callytics.database.reading import reading
from callytics.database.transactions import writing
from callytics.pbx.heartbeat import names_heard_within
from callytics.queues.membership import HOLD
from callytics.queues.models import Member, MemberPause, Waiting


@dataclass(frozen=True)
class Turn:
    """State of a queue, as a waiting caller needs it."""

    paused: frozenset[str] = frozenset()
    # End of the last conversation and of the wrap-up of each known member.
    idle: Mapping[str, tuple[datetime | None, datetime | None]] = field(default_factory=dict)
    # Members that ring or talk at another PBX.
    busy_elsewhere: frozenset[str] = frozenset()
    # A caller of another PBX has waited longer, and nobody rings for that caller.
    is_behind: bool = False


def turn_of(queue: str, members: Sequence[str], pbx: str, since: datetime) -> Turn:
    """Return the state of a queue for a caller of `pbx` who waits since `since`."""
    with reading() as connection:
        paused = connection.scalars(select(MemberPause.member).where(MemberPause.queue == queue))
        rows = connection.execute(
            select(Member.member, Member.last_ended_at, Member.free_at).where(
                Member.member.in_(members)
            )
        )
        return Turn(
            frozenset(paused),
            {row.member: (row.last_ended_at, row.free_at) for row in rows},
            _busy_elsewhere(connection, members, pbx),
            _is_behind(connection, queue, pbx, since),
        )


def set_ringing(call_uid: str, ringing: bool) -> None:
    """Note whether members ring for a waiting caller, who lets others pass meanwhile."""
    own = update(Waiting).where(Waiting.call_uid == call_uid)
    with writing() as connection:
        connection.execute(own.values(ringing=ringing))


def _busy_elsewhere(connection: Connection, members: Sequence[str], pbx: str) -> frozenset[str]:
    alive = names_heard_within(connection, HOLD)
    taken = (Member.call_uid.is_not(None), Member.pbx != pbx, Member.pbx.in_(alive))
    return frozenset(
        connection.scalars(select(Member.member).where(Member.member.in_(members), *taken))
    )


def _is_behind(connection: Connection, queue: str, pbx: str, since: datetime) -> bool:
    alive = names_heard_within(connection, HOLD)
    elsewhere = (Waiting.pbx != pbx, Waiting.pbx.in_(alive))
    longer = (Waiting.queue == queue, Waiting.since < since, Waiting.ringing.is_(False))
    return bool(connection.scalar(select(exists().where(*longer, *elsewhere))))
