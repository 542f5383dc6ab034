"""Beside the calls: completes recordings that nobody leads; once a day deletes what is too old and
compares all.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

import gevent
from flask import Flask
from gevent.event import Event as Flag
from sqlalchemy.exc import SQLAlchemyError

from callytics.ari.commands import Ari, AriError
from callytics.config import Config
from callytics.integrity import reconcile
from callytics.integrity.inspection import CheckContext
from callytics.recordings.facts import Facts
from callytics.retention import policy
from callytics.storage.folder import Storage
from worker.calls.registry import Routes
from worker.support.native_threads import Threads
from worker.support.throttled_log import Notices

log = logging.getLogger(__name__)

MINUTE_SECONDS = 60.0
# The first comparison of everything is not in the way of a worker that has just been started.
FIRST_FULL_SECONDS, FULL_SECONDS = 600.0, 24 * 3600.0
# Between two chunks of it, so that it takes a tenth of one core at most.
BREATH_SECONDS = 0.5

# What a step mended, in sentences; None at the end.
Step = Callable[[], list[str] | None]


class Upkeep:
    """Runs the library's own reconciling from within the worker."""

    def __init__(self, app: Flask, config: Config, storage: Storage, routes: Routes) -> None:
        # A connection of its own: it is used from a native thread, the calls' from greenlets.
        self._app, self._ari, self._routes = app, Ari(config, pool=1), routes
        self._thread = Threads(1)
        self._connected = Flag()
        self._notices = Notices(log)
        # A recording that a call is only just asking for is left to it.
        grace = timedelta(seconds=MINUTE_SECONDS)
        self.context = CheckContext(storage, self._is_live, grace)

    def connected(self) -> None:
        """What ended while nobody listened is looked for at once."""
        self._connected.set()

    def run_often(self) -> None:
        """Complete what is open and over, at each connect and once a minute."""
        while True:
            self._connected.wait(MINUTE_SECONDS)
            self._connected.clear()
            self._do(lambda: reconcile.mend_open(self.context).problems)

    def run_daily(self) -> None:
        """Once a day: delete what is too old, compare the rest."""
        gevent.sleep(FIRST_FULL_SECONDS)
        while True:
            self.go_through(policy.delete_expired(self.context))
            self.go_through(reconcile.reconcile(self.context))
            gevent.sleep(FULL_SECONDS)

    def go_through(self, steps: Iterator[reconcile.Report]) -> None:
        """Do one step after the other, so gently that no call feels it."""
        while self._do(lambda: _next(steps)) is not None:
            gevent.sleep(BREATH_SECONDS)

    def _do(self, step: Step) -> list[str] | None:
        """One step in the thread; what it mended, or None when it is over or was not possible."""
        try:
            said = self._thread.spawn(self._within, step).get()
        except (reconcile.FolderError, OSError, SQLAlchemyError) as error:
            self._notices.warn(f"recordings cannot be looked after: {error}")
            return None
        for sentence in said or []:
            log.info("%s", sentence)
        return said

    def _within(self, step: Step) -> list[str] | None:
        with self._app.app_context():
            return step()

    def _is_live(self, facts: Facts) -> bool | None:
        """Whether a call of this worker leads it, or Asterisk has it open."""
        if self._routes.knows(facts.name):
            return True
        try:
            return self._ari.live_recording(facts.name) is not None
        except AriError:
            return None


def _next(steps: Iterator[reconcile.Report]) -> list[str] | None:
    report = next(steps, None)
    return None if report is None else [*report.problems, *report.failed]
