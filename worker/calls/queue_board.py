"""Queue board: the waiting callers of each queue, and the call that each member is busy with.

The board of this worker decides, so that queues work while the database is away. The database
says who waits longer at another PBX, and decides between PBXs that claim a member at the same time.
"""

import logging
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic

import gevent
from sqlalchemy.exc import SQLAlchemyError

from callytics.ari.commands import Ari, AriError
from callytics.clock import utc_now
from callytics.flows.parts import Queue
from callytics.queues import membership, turns
from callytics.queues.turns import Turn
from worker.persistence.outbox import CALL_WAIT_SECONDS, Outbox
from worker.support.throttled_log import ThrottledLog

log = logging.getLogger(__name__)

# How long members are left to a caller of another PBX. Its worker looks once a second.
YIELD_SECONDS = 2.5
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_OCCUPIED = ("INUSE", "BUSY", "RINGING", "RINGINUSE", "ONHOLD", "UNAVAILABLE", "INVALID")


@dataclass(eq=False)
class Waiter:
    """A caller who waits in a queue."""

    call_uid: str
    queue: str
    since: datetime
    # Called when it may be this caller's turn.
    wake_up: Callable[[], None]
    # Members ring for this caller.
    ringing: bool = False
    # Since when this caller lets one of another PBX pass, who waits longer (monotonic seconds).
    yields_since: float | None = None
    # Members that did not answer this caller; they come last the next time.
    tried: list[str] = field(default_factory=list)


class QueueBoard:
    """Waiting callers and busy members of all queues, as far as this worker knows them."""

    def __init__(self, ari: Ari, outbox: Outbox, pbx: str) -> None:
        self._ari, self._outbox, self._pbx = ari, outbox, pbx
        self._waiting: dict[str, list[Waiter]] = defaultdict(list)
        self._busy: dict[str, str] = {}
        self._idle_since: dict[str, datetime] = {}
        self._free_at: dict[str, datetime] = {}
        self._turns: dict[str, Turn] = defaultdict(Turn)
        self._log = ThrottledLog(log)

    def join(self, waiter: Waiter, caller_number: str) -> None:
        """Add a caller to a queue, in the order of the times since when they wait."""
        waiting = self._waiting[waiter.queue]
        waiting.append(waiter)
        waiting.sort(key=lambda w: w.since)
        known = (waiter.call_uid, waiter.queue, self._pbx, caller_number, waiter.since)
        self._outbox.put(membership.enter, *known)

    def leave(self, waiter: Waiter) -> None:
        """Remove a caller from a queue, if still there."""
        if waiter in self._waiting[waiter.queue]:
            self._waiting[waiter.queue].remove(waiter)
            self._outbox.put(membership.leave, waiter.call_uid)
            self._wake_all()

    def take(self, waiter: Waiter, queue: Queue) -> list[str]:
        """Claim members for this caller and return those to ring now; often none.

        They are busy with this call until `release`.
        """
        if not self._is_first(waiter):
            return []
        free = self._free_members(waiter, queue)
        if self._yields(waiter, free):
            return []
        for member in free:
            if self._claim(member, waiter) and queue.strategy != "ring_all":
                break
        members = [m for m, call_uid in self._busy.items() if call_uid == waiter.call_uid]
        self._set_ringing(waiter, bool(members))
        return members

    def hold(self, member: str, call_uid: str) -> None:
        """Claim a member who talks already, in a call that was adopted."""
        self._busy[member] = call_uid
        self._outbox.put(membership.claim, [member], call_uid, self._pbx)

    def tried(self, waiter: Waiter, members: Iterable[str]) -> None:
        """Note that these members did not answer; others come first the next time."""
        waiter.tried.extend(members)
        self._set_ringing(waiter, False)

    def _set_ringing(self, waiter: Waiter, ringing: bool) -> None:
        if waiter.ringing != ringing:
            waiter.ringing = ringing
            self._outbox.put(turns.set_ringing, waiter.call_uid, ringing)

    def release(self, member: str, call_uid: str, wrap_up_seconds: int | None = None) -> None:
        """Free a member from a call; `wrap_up_seconds` only after a conversation."""
        if self._busy.get(member) != call_uid:
            return
        del self._busy[member]
        ended_at = free_at = None
        if wrap_up_seconds is not None:
            ended_at = self._idle_since[member] = utc_now()
            free_at = self._free_at[member] = ended_at + timedelta(seconds=wrap_up_seconds)
        self._outbox.put(membership.release, member, call_uid, ended_at, free_at)
        self._wake_all()

    def _is_first(self, waiter: Waiter) -> bool:
        """Return True if members ring already for all who have waited longer."""
        waiting = self._waiting[waiter.queue]
        return next((w for w in waiting if not w.ringing), None) is waiter

    def _yields(self, waiter: Waiter, free: list[str]) -> bool:
        """Return True while the free members are left to a caller of another PBX.

        Not for long: those members may be no phones of that PBX.
        """
        if not free or not self._turns[waiter.queue].is_behind:
            waiter.yields_since = None
            return False
        waiter.yields_since = waiter.yields_since or monotonic()
        return monotonic() - waiter.yields_since < YIELD_SECONDS

    def _free_members(self, waiter: Waiter, queue: Queue) -> list[str]:
        """Return the free members, in the order in which the queue's strategy rings them."""
        self._read_database(waiter, queue.members)
        turn, now = self._turns[waiter.queue], utc_now()
        free = [
            member
            for member in queue.members
            if member not in self._busy
            and member not in turn.paused
            and member not in turn.busy_elsewhere
            and self._free_at.get(member, _LONG_AGO) <= now
        ]
        if queue.strategy == "random":
            random.shuffle(free)
        elif queue.strategy == "longest_idle":
            free.sort(key=lambda m: self._idle_since.get(m, _LONG_AGO))
        if queue.strategy != "ring_all":
            free.sort(key=waiter.tried.count)
        return free

    def _read_database(self, waiter: Waiter, members: list[str]) -> None:
        """Read what the others of this queue do, if possible."""
        asked = (waiter.queue, members, self._pbx, waiter.since)
        try:
            turn = self._turns[waiter.queue] = self._outbox.call(turns.turn_of, *asked)
            for member, (ended_at, free_at) in turn.idle.items():
                self._idle_since[member] = max(ended_at or _LONG_AGO, self._last(member))
                self._free_at[member] = free_at or self._free_at.get(member, _LONG_AGO)
        except (gevent.Timeout, SQLAlchemyError):
            self._log.problem("queues: the database is away; what is known here applies")
            # Pauses last, but what happens at the other PBXs is not known any more.
            self._turns[waiter.queue] = Turn(paused=self._turns[waiter.queue].paused)
        else:
            self._log.recovered("queues: the database answers again")

    def _last(self, member: str) -> datetime:
        return self._idle_since.get(member, _LONG_AGO)

    def _claim(self, member: str, waiter: Waiter) -> bool:
        """Claim a member in this worker at once, then against the other PBXs."""
        if member in self._busy:
            return False
        self._busy[member] = waiter.call_uid
        if self._is_occupied(member) or not self._claim_in_database(member, waiter.call_uid):
            del self._busy[member]
            return False
        return True

    def _claim_in_database(self, member: str, call_uid: str) -> bool:
        """Queue the claim as its release will be, so that it is never written after it.

        While the database does not answer, the board of this worker decides.
        """
        claimed = self._outbox.put(membership.claim, [member], call_uid, self._pbx)
        try:
            return bool(claimed.get(timeout=CALL_WAIT_SECONDS))
        except (gevent.Timeout, SQLAlchemyError):
            return True

    def _is_occupied(self, member: str) -> bool:
        device = _device(member)
        if device is None:
            return False
        try:
            return self._ari.device_state(device) in _OCCUPIED
        except AriError as error:
            log.warning("%s: its state is not known: %s", device, error)
            return False

    def _wake_all(self) -> None:
        """Wake the callers of all queues: a member may be in several of them."""
        for waiting in self._waiting.values():
            for waiter in waiting:
                waiter.wake_up()


def _device(destination: str) -> str | None:
    """Return the device behind a destination; None for a number behind a trunk."""
    technology, _, resource = destination.partition("/")
    if technology == "Local":
        return f"Local/{resource.split('/')[0]}"
    return None if "@" in resource else destination
