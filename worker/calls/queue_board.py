"""The lines of callers who wait, and whom each member is busy with.

What this worker knows decides, so that queues work while the database is away; the database
settles what other workers want at the same time.
"""

import logging
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import gevent
from sqlalchemy.exc import SQLAlchemyError

from callytics.ari.commands import Ari, AriError
from callytics.clock import utc_now
from callytics.flows.document import Queue
from callytics.queues import queues
from worker.asterisk.event_stream import Event
from worker.persistence.outbox import Outbox
from worker.support.throttled_log import Notices

log = logging.getLogger(__name__)

# What a waiting call finds in its inbox when it may be its turn.
NUDGE: Event = {"type": "CallyticsNudge"}
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_OCCUPIED = ("INUSE", "BUSY", "RINGING", "RINGINUSE", "ONHOLD", "UNAVAILABLE", "INVALID")


@dataclass(eq=False)
class Waiter:
    """One caller in a line."""

    call_uid: str
    queue: str
    since: datetime
    nudge: Callable[[Event], None]
    ringing: bool = False
    # Members rung for this caller in vain; they come last the next time.
    tried: list[str] = field(default_factory=list)


class Board:
    """All lines of this worker, and its part of the truth about members."""

    def __init__(self, ari: Ari, outbox: Outbox, worker: str) -> None:
        self._ari, self._outbox, self._worker = ari, outbox, worker
        self._lines: dict[str, list[Waiter]] = defaultdict(list)
        self._busy: dict[str, str] = {}
        self._idle_since: dict[str, datetime] = {}
        self._free_at: dict[str, datetime] = {}
        self._paused: dict[str, set[str]] = {}
        self._notices = Notices(log)

    def join(self, waiter: Waiter, caller_number: str) -> None:
        """Stand in line, by the time since when one waits."""
        line = self._lines[waiter.queue]
        line.append(waiter)
        line.sort(key=lambda w: w.since)
        known = (waiter.call_uid, waiter.queue, self._worker, caller_number, waiter.since)
        self._outbox.put(queues.enter, *known)

    def leave(self, waiter: Waiter) -> None:
        """Stand in line no more."""
        if waiter in self._lines[waiter.queue]:
            self._lines[waiter.queue].remove(waiter)
            self._outbox.put(queues.leave, waiter.call_uid)
            self._nudge_all()

    def take(self, waiter: Waiter, queue: Queue) -> list[str]:
        """The members to ring now for this caller, theirs until `release`; often none."""
        if not self._is_first(waiter):
            return []
        for member in self._by_strategy(waiter, queue):
            if self._claim(member, waiter) and queue.strategy != "ring_all":
                break
        members = [m for m, call_uid in self._busy.items() if call_uid == waiter.call_uid]
        waiter.ringing = bool(members)
        return members

    def hold(self, member: str, call_uid: str) -> None:
        """A member is busy with a call that was adopted."""
        self._busy[member] = call_uid
        self._outbox.put(queues.claim, [member], call_uid, self._worker)

    def tried(self, waiter: Waiter, members: Iterable[str]) -> None:
        """These members were rung in vain; others come first the next time."""
        waiter.tried.extend(members)
        waiter.ringing = False

    def release(self, member: str, call_uid: str, wrap_up_seconds: int | None = None) -> None:
        """Let a member go; `wrap_up_seconds` only after a conversation."""
        if self._busy.get(member) != call_uid:
            return
        del self._busy[member]
        ended_at = free_at = None
        if wrap_up_seconds is not None:
            ended_at = self._idle_since[member] = utc_now()
            free_at = self._free_at[member] = ended_at + timedelta(seconds=wrap_up_seconds)
        self._outbox.put(queues.release, member, call_uid, ended_at, free_at)
        self._nudge_all()

    def _is_first(self, waiter: Waiter) -> bool:
        """Whether all who waited longer are being connected just now."""
        line = self._lines[waiter.queue]
        return next((w for w in line if not w.ringing), None) is waiter

    def _by_strategy(self, waiter: Waiter, queue: Queue) -> list[str]:
        self._ask_database(waiter.queue, queue.members)
        resting, now = self._paused.get(waiter.queue, set()), utc_now()
        free = [
            member
            for member in queue.members
            if member not in self._busy
            and member not in resting
            and self._free_at.get(member, _LONG_AGO) <= now
        ]
        if queue.strategy == "random":
            random.shuffle(free)
        elif queue.strategy == "longest_idle":
            free.sort(key=lambda m: self._idle_since.get(m, _LONG_AGO))
        if queue.strategy != "ring_all":
            free.sort(key=waiter.tried.count)
        return free

    def _ask_database(self, queue: str, members: list[str]) -> None:
        """Who rests, and since when the others are idle, as far as the database can say."""
        try:
            self._paused[queue] = self._outbox.ask(queues.paused, queue)
            for member, (ended_at, free_at) in self._outbox.ask(queues.idle_since, members).items():
                self._idle_since[member] = max(ended_at or _LONG_AGO, self._last(member))
                self._free_at[member] = free_at or self._free_at.get(member, _LONG_AGO)
        except (gevent.Timeout, SQLAlchemyError):
            self._notices.warn("queues: the database is away; what is known here applies")
        else:
            self._notices.over("queues: the database answers again")

    def _last(self, member: str) -> datetime:
        return self._idle_since.get(member, _LONG_AGO)

    def _claim(self, member: str, waiter: Waiter) -> bool:
        """Here at once, so that no other caller of this worker can; then for all workers."""
        if member in self._busy:
            return False
        self._busy[member] = waiter.call_uid
        if self._is_occupied(member) or not self._claim_for_all(member, waiter.call_uid):
            del self._busy[member]
            return False
        return True

    def _claim_for_all(self, member: str, call_uid: str) -> bool:
        try:
            return bool(self._outbox.ask(queues.claim, [member], call_uid, self._worker))
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

    def _nudge_all(self) -> None:
        """A member may have become free for any queue, or someone first in line."""
        for line in self._lines.values():
            for waiter in line:
                waiter.nudge(NUDGE)


def _device(destination: str) -> str | None:
    """The device whose state tells of a destination; None for a number behind a trunk."""
    technology, _, resource = destination.partition("/")
    if technology == "Local":
        return f"Local/{resource.split('/')[0]}"
    return None if "@" in resource else destination
