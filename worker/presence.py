"""Tells the database that this worker is alive, and how its connection to Asterisk is."""

import socket
from datetime import datetime
from urllib.parse import urlsplit

import gevent
from gevent.event import AsyncResult

from callytics import ledger
from callytics.config import Config
from callytics.facts import utc_now
from worker.outbox import Outbox

TELL_SECONDS = 5.0


class Presence:
    """What the pages know of this worker."""

    def __init__(self, outbox: Outbox, config: Config) -> None:
        self.name = worker_name(config)
        self._outbox = outbox
        self._started_at = utc_now()
        self._connected_at: datetime | None = None
        self._asterisk_version = ""
        self._problem = "not connected to Asterisk yet"
        self._told: AsyncResult | None = None

    def run(self) -> None:
        """Tell again and again."""
        while True:
            self.tell()
            gevent.sleep(TELL_SECONDS)

    def connected(self, asterisk_version: str) -> None:
        """The connection stands."""
        self._connected_at, self._asterisk_version = utc_now(), asterisk_version
        self._problem = ""
        self.tell(at_once=True)

    def disconnected(self, reason: str) -> None:
        """The connection is lost, for a reason in words."""
        self._connected_at, self._problem = None, reason
        self.tell(at_once=True)

    def tell(self, at_once: bool = False) -> None:
        """Queue what is so now, unless the last word is still waiting for the database."""
        if at_once or self._told is None or self._told.ready():
            self._told = self._outbox.put(
                ledger.note_worker,
                self.name,
                self._started_at,
                self._connected_at,
                self._asterisk_version,
                self._problem,
            )


def worker_name(config: Config) -> str:
    """The same at every start, since by it a worker knows the calls of the one before.

    A container has a new host name each time, but it reaches Asterisk at one that stays.
    """
    asterisk = urlsplit(config.ari_url).netloc
    if asterisk.startswith(("127.", "localhost", "[::1]")):
        asterisk = f"{socket.gethostname()} ({asterisk})"
    return f"{config.ari_app}@{asterisk}"
