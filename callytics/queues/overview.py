"""Overview of the queues for pages and commands: members with their state, waiting callers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from sqlalchemy import or_, select

from callytics.calls.models import Call
from callytics.clock import utc_now
from callytics.database.reading import AnySelect, read, reading
from callytics.flows import versions
from callytics.flows.parts import Queue
from callytics.queues.membership import WaitingRow, paused
from callytics.queues.models import Member, MemberPause, Waiting


def member_states(queue: str, members: Iterable[str]) -> dict[str, str]:
    """Return the state of each member: free, busy, wrapping up or paused."""
    resting = paused(queue)
    wanted = select(Member).where(or_(Member.call_uid.is_not(None), Member.free_at > utc_now()))
    with reading() as connection:
        busy = {row.member: row.call_uid for row in connection.execute(wanted)}
    return {m: _state(m in resting, m in busy, busy.get(m)) for m in members}


class OccupiedRow(Protocol):
    """Row of a member that rings, talks or wraps up, with the call."""

    @property
    def member(self) -> str: ...

    @property
    def call_uid(self) -> str | None: ...

    @property
    def caller_number(self) -> str | None: ...

    @property
    def caller_name(self) -> str | None: ...

    @property
    def answered_at(self) -> datetime | None: ...


@dataclass(frozen=True)
class MemberNow:
    """Current state of a queue member; `call` is the call that rings or is connected to them."""

    member: str
    state: str
    is_paused: bool
    call: OccupiedRow | None


@dataclass(frozen=True)
class QueueNow:
    """Current state of a queue; `waiting` has the longest waiting caller first."""

    name: str
    queue: Queue
    members: tuple[MemberNow, ...]
    waiting: tuple[WaitingRow, ...]


def overview() -> list[QueueNow]:
    """Return all queues; the number of queries does not depend on the number of queues."""
    document = versions.current()
    columns = (Waiting.queue, Waiting.call_uid, Waiting.caller_number, Waiting.since)
    with reading() as connection:
        pauses = set(map(tuple, connection.execute(select(MemberPause.queue, MemberPause.member))))
        rows = cast(list[OccupiedRow], connection.execute(_occupied()).all())
        busy = {row.member: row for row in rows}
        waiting = connection.execute(select(*columns).order_by(Waiting.since)).all()
    return [
        QueueNow(
            name,
            queue,
            tuple(_now(m, (name, m) in pauses, busy.get(m)) for m in queue.members),
            tuple(cast(WaitingRow, row) for row in waiting if row.queue == name),
        )
        for name, queue in document.queues.items()
    ]


def _occupied() -> AnySelect:
    """Return the query of members that ring, talk or wrap up, with their calls."""
    columns = (Member.member, Member.call_uid, Call.caller_number, Call.caller_name)
    query = select(*columns, Call.answered_at).outerjoin(Call, Call.uid == Member.call_uid)
    return query.where(or_(Member.call_uid.is_not(None), Member.free_at > utc_now()))


def _now(member: str, is_paused: bool, row: OccupiedRow | None) -> MemberNow:
    call_uid = row.call_uid if row else None
    state = _state(is_paused, row is not None, call_uid)
    return MemberNow(member, state, is_paused, row if call_uid else None)


def _state(is_paused: bool, is_occupied: bool, call_uid: str | None) -> str:
    if call_uid is not None:
        return "busy"
    if is_paused:
        return "paused"
    return "wrapping up" if is_occupied else "free"


def queues_of(call_uids: Sequence[str]) -> dict[str, str]:
    """Return the queue by the uid of the call, for those of these calls that wait in one."""
    query = select(Waiting.call_uid, Waiting.queue).where(Waiting.call_uid.in_(call_uids))
    return {row.call_uid: row.queue for row in read(query)} if call_uids else {}
