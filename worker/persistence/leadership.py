"""Leadership: whether this worker leads the calls of its PBX, by the lease in the database.

The care of calls comes first. While the database is away the lease is not asked for: Asterisk gives
an application to one worker only.
"""

import logging
from collections.abc import Callable
from dataclasses import replace

import gevent
from gevent.event import Event as Flag

from callytics.clock import utc_now
from callytics.json_values import JsonObject
from callytics.pbx import lease
from callytics.pbx.lease import Claim, Outcome, Report, Rival
from callytics.storage.file_lock import FileLock
from worker.asterisk.event_stream import StandBy
from worker.persistence.outbox import Outbox
from worker.support.native_threads import NativeThreads, Result

log = logging.getLogger(__name__)

# The longest wait for the database before calls are led without its answer. The lock shows already
# that no other worker of this folder lives; without it, a database that is only slow must not make
# this worker take the calls of another.
SURE_SECONDS, UNSURE_SECONDS = 1.0, 5.0
DISK_SECONDS = 2.0


class LeaseLost(Exception):
    """Another worker leads this PBX now; the message says which."""


class Leadership:
    """The lease of this worker, and whether it leads, stands by or has lost it."""

    def __init__(
        self, outbox: Outbox, lock: FileLock, claim: Claim, take_over: Callable[[str], None]
    ) -> None:
        self._outbox, self._lock, self._claim = outbox, lock, claim
        # Called with the name of a PBX that this one was before.
        self._take_over = take_over
        self._disk = NativeThreads(1)
        self._report = Report(utc_now(), None, "", "not connected to Asterisk yet")
        self._leads = self._others_lock = False
        # The worker that leads instead, and those of whom the lock says that they are dead.
        self._rival: Rival | None = None
        self._dead: frozenset[str] = frozenset()
        # A worker of another Asterisk under this name, seen to renew its lease.
        self._alive = ""
        # Set with the reason when another worker has taken the lease.
        self.lost: Result[LeaseLost] = Result()
        # Set once it is known what this worker is, or that it cannot be known.
        self.decided = Flag()

    def leads(self) -> bool:
        """Return True if this worker leads the calls of its PBX."""
        return self._leads and self._rival is None

    def write(self, report: Report) -> Result[Outcome] | None:
        """Queue the renewal of the lease with a heartbeat, unless this worker stands by."""
        self._report = report
        self.decided.set()
        return None if self._rival else self._claim_lease(in_contest=not self._leads)

    def connect(self, info: JsonObject) -> None:
        """Take the lease for the Asterisk that answered. Raises StandBy."""
        asterisk = f"{info['system'].get('entity_id', '')} {info['status']['startup_time']}"
        self._claim = replace(self._claim, asterisk=asterisk)
        self._take_lock()
        claimed = self._claim_lease(in_contest=True)
        is_sure = self._leads or self._claim.lock
        claimed.wait(timeout=SURE_SECONDS if is_sure else UNSURE_SECONDS)
        self.decided.set()
        self._decide(claimed)

    def release(self) -> None:
        """Queue the end of the lease, so that the next worker need not wait for it."""
        if self._leads:
            self._outbox.put(lease.release, self._claim)

    def _decide(self, claimed: Result[Outcome]) -> None:
        if claimed.successful():
            self._judge(claimed.get())
        elif not (self._leads or self._claim.lock) and (self._rival or self._others_lock):
            # Nothing says that the worker that leads is gone.
            raise StandBy(self._sentence())
        else:
            self._leads, self._rival = True, None
        if self._rival:
            raise StandBy(self._sentence())

    def _claim_lease(self, in_contest: bool) -> Result[Outcome]:
        claimed = self._outbox.put(self._hold, in_contest)
        gevent.spawn(self._follow, claimed)
        return claimed

    def _hold(self, in_contest: bool) -> Outcome:
        """Renew or take the lease, in the thread of the database."""
        claim, report = self._claim, self._report
        if not in_contest and lease.renew(claim, report):
            return Outcome()
        outcome = lease.take(claim, report, self._dead, self._alive)
        if (rival := outcome.rival) and self._is_dead(rival):
            self._dead |= {rival.holder}
            return lease.take(claim, report, self._dead, self._alive)
        return outcome

    def _follow(self, claimed: Result[Outcome]) -> None:
        try:
            self._judge(claimed.get())
        except Exception:
            # The outbox has logged it.
            return

    def _judge(self, outcome: Outcome) -> None:
        """Update the state by the answer of the database."""
        rival, before = outcome.rival, self._rival
        if rival is None:
            self._leads, self._rival, self._alive = True, None, ""
            for name in outcome.predecessors:
                self._take_over(name)
            return
        same = before is not None and before.holder == rival.holder
        renewed = before is not None and same and rival.lease_until > before.lease_until
        if renewed and self._is_of_other_asterisk(rival):
            self._alive = rival.holder
        self._rival = rival
        if self._leads and not self.lost.ready():
            self.lost.set(LeaseLost(f"{self._sentence()}; this worker stops"))

    def _take_lock(self) -> None:
        if self._claim.lock:
            return
        try:
            lock = self._disk.call(DISK_SECONDS, self._lock.take)
        except (gevent.Timeout, OSError) as error:
            log.info("the lock of this PBX cannot be taken: %s", error)
            return
        self._others_lock = not lock
        self._claim = replace(self._claim, lock=lock)

    def _is_dead(self, rival: Rival) -> bool:
        """Return True if this process has the lock that the other held until its end."""
        mine = self._claim.lock
        return bool(mine) and rival.lock == mine and not self._is_of_other_asterisk(rival)

    def _is_of_other_asterisk(self, rival: Rival) -> bool:
        claim = self._claim
        known = claim.asterisk_id and rival.asterisk_id
        return rival.name == claim.name and bool(known) and rival.asterisk_id != claim.asterisk_id

    def _sentence(self) -> str:
        claim, rival = self._claim, self._rival
        if rival is None:
            return f"another worker of PBX {claim.name} runs on this machine; this one stands by"
        where = f"on {rival.host} (process {rival.process})"
        if self._is_of_other_asterisk(rival):
            return (
                f"PBX_NAME: {claim.name} is another Asterisk, led by the worker {where}; "
                "set another PBX_NAME for this one"
            )
        if rival.name != claim.name:
            led = f"this Asterisk and the application {claim.application} are PBX {rival.name}"
            return f"{led}, led by the worker {where}; this one stands by"
        return f"PBX {claim.name} is led by the worker {where}; this one stands by"
