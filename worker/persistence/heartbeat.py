"""Heartbeat: tells the database that this worker lives, and the state of its ARI connection."""

import logging
from collections.abc import Callable
from datetime import datetime
from time import monotonic

import gevent

from callytics.clock import utc_now
from callytics.pbx.lease import Outcome, Report
from callytics.storage.folder import Storage
from callytics.storage.health import folder_problem
from worker.persistence.leadership import Leadership, LeaseLost
from worker.persistence.rules_cache import RulesCache
from worker.support.native_threads import NativeThreads, Result
from worker.support.throttled_log import ThrottledLog

log = logging.getLogger(__name__)

BEAT_SECONDS, MINUTE_SECONDS = 5.0, 60.0


class Heartbeat:
    """The worker's row in the database, renewed every few seconds."""

    def __init__(
        self,
        leadership: Leadership,
        rules: RulesCache,
        storage: Storage,
        give_up: Callable[[int], None],
    ) -> None:
        self._leadership, self._rules, self._storage = leadership, rules, storage
        # Called with the minutes after which other PBXs are lost.
        self._give_up, self._look_for_lost_at = give_up, 0.0
        self._started_at = utc_now()
        self._connected_at: datetime | None = None
        self._asterisk_version = ""
        self._connection_problem = "not connected to Asterisk yet"
        self._folder_problem: str | None = None
        self._last_write: Result[Outcome] | None = None
        self._log = ThrottledLog(log)

    def run(self) -> LeaseLost:
        """Renew the row and check the folder, which may be slow, until the lease is lost."""
        disk, lost = NativeThreads(1), self._leadership.lost
        # A worker that stands by has no row to write to.
        self._leadership.decided.wait(BEAT_SECONDS)
        while not lost.ready():
            self.write()
            self._folder_problem = self._check_folder(disk)
            if self._folder_problem:
                self._log.problem(self._folder_problem)
            else:
                self._log.recovered("there is room for recordings again")
            self._give_up_lost()
            lost.wait(timeout=BEAT_SECONDS)
        return lost.get()

    def _give_up_lost(self) -> None:
        """Close, once a minute, what PBXs have left open that never came back."""
        if self._leadership.leads() and monotonic() > self._look_for_lost_at:
            self._look_for_lost_at = monotonic() + MINUTE_SECONDS
            self._give_up(int(self._rules.settings()["pbx_lost_minutes"]))

    def connected(self, asterisk_version: str) -> None:
        """Write that the connection to Asterisk stands."""
        self._connected_at, self._asterisk_version = utc_now(), asterisk_version
        self._connection_problem = ""
        self.write(at_once=True)

    def disconnected(self, reason: str) -> None:
        """Write that the connection is lost, with the reason as a sentence."""
        self._connected_at, self._connection_problem = None, reason
        self.write(at_once=True)

    def write(self, at_once: bool = False) -> None:
        """Queue the row; unless `at_once`, only if the last one is written."""
        if at_once or self._last_write is None or self._last_write.ready():
            self._last_write = self._leadership.write(self.report())

    def report(self) -> Report:
        """Return the state of this worker."""
        return Report(
            self._started_at,
            self._connected_at,
            self._asterisk_version,
            self._connection_problem or self._folder_problem or "",
        )

    def _check_folder(self, disk: NativeThreads) -> str | None:
        least_mb = int(self._rules.settings()["disk_warning_mb"])
        try:
            return disk.call(BEAT_SECONDS, folder_problem, self._storage, least_mb)
        except gevent.Timeout:
            # A worker that waited for a disk that hangs would look dead.
            return f"RECORDINGS_DIR: the disk of {self._storage.root} does not answer"
