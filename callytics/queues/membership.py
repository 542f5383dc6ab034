"""Queue membership shared by all PBXs of a database: claims, pauses and waiting callers."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol, cast

from sqlalchemy import Connection, Select, delete, exists, insert, or_, select, update

from callytics.audit.admin_changes import log_change
from callytics.audit.authors import Author
from callytics.clock import utc_now
from callytics.database.reading import reading
from callytics.database.transactions import insert_missing, lock_tables, upsert, writing
from callytics.flows import versions
from callytics.pbx.heartbeat import names_heard_within
from callytics.queues.models import Member, MemberPause, Waiting

# Claims of a PBX whose heartbeat is older than this are void: its worker has died.
HOLD = timedelta(seconds=60)


class QueueError(Exception):
    """Unknown queue or member; the message names the known ones."""


def claim(members: Iterable[str], call_uid: str, pbx: str) -> list[str]:
    """Claim the free ones of `members` for a call, in one transaction; return them."""
    with writing() as connection:
        return [m for m in members if _claim_one(connection, m, call_uid, pbx)]


def _claim_one(connection: Connection, member: str, call_uid: str, pbx: str) -> bool:
    """Claim a member by a single UPDATE, so that only one of two workers succeeds."""
    insert_missing(connection, Member, {"member": member, "pbx": ""})
    alive = names_heard_within(connection, HOLD)
    free = or_(Member.call_uid.is_(None), Member.call_uid == call_uid, Member.pbx.not_in(alive))
    taken = update(Member).where(Member.member == member, free)
    return connection.execute(taken.values(call_uid=call_uid, pbx=pbx)).rowcount == 1


def release(
    member: str, call_uid: str, ended_at: datetime | None = None, free_at: datetime | None = None
) -> None:
    """Release a member. `ended_at` is the end of a conversation, `free_at` that of the wrap-up."""
    values: dict[str, object] = {"call_uid": None}
    if ended_at is not None:
        values |= {"last_ended_at": ended_at, "free_at": free_at}
    mine = (Member.member == member, Member.call_uid == call_uid)
    with writing() as connection:
        connection.execute(update(Member).where(*mine).values(**values))


def let_go_of_call(call_uid: str) -> None:
    """Delete the claims of a call that has ended, and its place among the waiting callers."""
    with writing() as connection:
        mine = update(Member).where(Member.call_uid == call_uid)
        connection.execute(mine.values(call_uid=None))
        connection.execute(delete(Waiting).where(Waiting.call_uid == call_uid))


def let_go_of_others(pbx: str, live: Sequence[str]) -> None:
    """Delete the claims and waiting callers of `pbx` whose calls are not among `live`."""
    ended = (Member.pbx == pbx, Member.call_uid.not_in(live))
    with writing() as connection:
        connection.execute(update(Member).where(*ended).values(call_uid=None))
        gone = (Waiting.pbx == pbx, Waiting.call_uid.not_in(live))
        connection.execute(delete(Waiting).where(*gone))


def reassign(old: str, new: str) -> None:
    """Give the claims and waiting callers of one PBX to another."""
    with writing() as connection:
        for table in (Member, Waiting):
            connection.execute(update(table).where(table.pbx == old).values(pbx=new))


def idle_since(members: Iterable[str]) -> Mapping[str, tuple[datetime | None, datetime | None]]:
    """Return the end of the last conversation and of the wrap-up of each known member."""
    wanted = Member.member.in_(list(members))
    query = select(Member.member, Member.last_ended_at, Member.free_at).where(wanted)
    with reading() as connection:
        return {row.member: (row.last_ended_at, row.free_at) for row in connection.execute(query)}


def paused(queue: str) -> set[str]:
    """Return the paused members of a queue."""
    with reading() as connection:
        query = select(MemberPause.member).where(MemberPause.queue == queue)
        return set(connection.scalars(query))


def pause(queue: str, member: str, changed_by: Author) -> None:
    """Pause a member in a queue. Raises QueueError."""
    _check(queue, member)
    with writing() as connection:
        lock_tables(connection, MemberPause)
        if not connection.scalar(_is_paused(queue, member)):
            values = {"queue": queue, "member": member, "since": utc_now()}
            connection.execute(insert(MemberPause).values(**values))
            log_change(connection, changed_by, _thing(queue, member), "takes calls", "paused")


def resume(queue: str, member: str, changed_by: Author) -> None:
    """Resume a member in a queue. Raises QueueError."""
    _check(queue, member)
    with writing() as connection:
        same = (MemberPause.queue == queue, MemberPause.member == member)
        resumed = delete(MemberPause).where(*same)
        if connection.execute(resumed).rowcount:
            log_change(connection, changed_by, _thing(queue, member), "paused", "takes calls")


def _is_paused(queue: str, member: str) -> Select[tuple[bool]]:
    return select(exists().where(MemberPause.queue == queue, MemberPause.member == member))


def _thing(queue: str, member: str) -> str:
    return f"queue {queue} {member}"


def _check(queue: str, member: str) -> None:
    known = versions.current().queues
    if queue not in known:
        raise QueueError(f"there is no queue {queue!r}; there are {', '.join(known) or 'none'}")
    if member not in known[queue].members:
        names = ", ".join(known[queue].members) or "nobody"
        raise QueueError(f"{member!r} is not a member of {queue}; its members are {names}")


def enter(call_uid: str, queue: str, pbx: str, caller_number: str, since: datetime) -> None:
    """Add or update a waiting caller."""
    values = {
        "call_uid": call_uid,
        "queue": queue,
        "pbx": pbx,
        "caller_number": caller_number,
        "since": since,
    }
    with writing() as connection:
        upsert(connection, Waiting, "call_uid", values)


def leave(call_uid: str) -> None:
    """Delete a waiting caller."""
    with writing() as connection:
        connection.execute(delete(Waiting).where(Waiting.call_uid == call_uid))


class WaitingRow(Protocol):
    """Row of a waiting caller."""

    @property
    def call_uid(self) -> str: ...

    @property
    def caller_number(self) -> str: ...

    @property
    def since(self) -> datetime: ...


def waiting(queue: str) -> list[WaitingRow]:
    """Return rows of call_uid, caller_number and since of a queue, longest waiting first."""
    columns = (Waiting.call_uid, Waiting.caller_number, Waiting.since)
    query = select(*columns).where(Waiting.queue == queue).order_by(Waiting.since)
    with reading() as connection:
        return cast(list[WaitingRow], connection.execute(query).all())
