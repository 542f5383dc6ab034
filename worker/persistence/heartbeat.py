"""Tells the database that this worker is alive, and how its connection to Asterisk is."""

import logging
import socket
from datetime import datetime
from urllib.parse import urlsplit

import gevent
from gevent.event import AsyncResult

from callytics.clock import utc_now
from callytics.config import Config
from callytics.storage.folder import Storage
from callytics.storage.health import folder_problem
from callytics.workers import heartbeat
from worker.persistence.outbox import Outbox
from worker.persistence.rules_cache import Rules
from worker.support.native_threads import Threads
from worker.support.throttled_log import Notices

log = logging.getLogger(__name__)

TELL_SECONDS = 5.0


class Presence:
    """What the pages know of this worker."""

    def __init__(self, outbox: Outbox, rules: Rules, storage: Storage, config: Config) -> None:
        self.name = worker_name(config)
        self._outbox, self._rules, self._storage = outbox, rules, storage
        self._started_at = utc_now()
        self._connected_at: datetime | None = None
        self._asterisk_version = ""
        self._connection_problem = "not connected to Asterisk yet"
        self._folder_problem: str | None = None
        self._told: AsyncResult | None = None
        self._notices = Notices(log)

    def run(self) -> None:
        """Tell again and again, and look at the folder, which may be slow to answer."""
        disk = Threads(1)
        while True:
            self.tell()
            self._folder_problem = self._look(disk)
            if self._folder_problem:
                self._notices.warn(self._folder_problem)
            else:
                self._notices.over("there is room for recordings again")
            gevent.sleep(TELL_SECONDS)

    def _look(self, disk: Threads) -> str | None:
        least_mb = int(self._rules.settings()["disk_warning_mb"])
        try:
            return disk.ask(folder_problem, self._storage, least_mb, seconds=TELL_SECONDS)
        except gevent.Timeout:
            # A worker that waited for it would look dead.
            return f"RECORDINGS_DIR: the disk of {self._storage.root} does not answer"

    def connected(self, asterisk_version: str) -> None:
        """The connection stands."""
        self._connected_at, self._asterisk_version = utc_now(), asterisk_version
        self._connection_problem = ""
        self.tell(at_once=True)

    def disconnected(self, reason: str) -> None:
        """The connection is lost, for a reason in words."""
        self._connected_at, self._connection_problem = None, reason
        self.tell(at_once=True)

    def tell(self, at_once: bool = False) -> None:
        """Queue what is so now, unless the last word is still waiting for the database."""
        if at_once or self._told is None or self._told.ready():
            self._told = self._outbox.put(
                heartbeat.record_heartbeat,
                self.name,
                self._started_at,
                self._connected_at,
                self._asterisk_version,
                self._connection_problem or self._folder_problem or "",
            )


def worker_name(config: Config) -> str:
    """The same at every start, since by it a worker knows the calls of the one before.

    A container has a new host name each time, but it reaches Asterisk at one that stays.
    """
    asterisk = urlsplit(config.ari_url).netloc
    if asterisk.startswith(("127.", "localhost", "[::1]")):
        asterisk = f"{socket.gethostname()} ({asterisk})"
    return f"{config.ari_app}@{asterisk}"
