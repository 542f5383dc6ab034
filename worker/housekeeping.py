"""Housekeeping beside the calls: completes recordings that no call leads, and once a day deletes
expired ones and compares all.
"""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta
from time import monotonic

import gevent
from flask import Flask
from gevent.event import Event as Flag
from sqlalchemy.exc import SQLAlchemyError

from callytics.ari.commands import Ari, AriError
from callytics.config import Config
from callytics.integrity import adoption, reconcile
from callytics.integrity.inspection import CheckContext
from callytics.pbx import heartbeat
from callytics.recordings.facts import Facts
from callytics.retention import policy, runs
from callytics.storage.folder import Storage
from worker.calls.registry import CallRegistry
from worker.support.native_threads import NativeThreads
from worker.support.throttled_log import ThrottledLog

log = logging.getLogger(__name__)

MINUTE_SECONDS = 60.0
# A marker is read for this, and no more while all is well.
WATCH_SECONDS = 0.5
# The first full run waits, so that it is not in the way of a worker that has just started.
FIRST_FULL_SECONDS, FULL_SECONDS = 600.0, 24 * 3600.0
# Between two chunks of a full run, so that it takes a tenth of one core at most.
CHUNK_PAUSE_SECONDS = 0.5

# How long the list of other PBXs holds.
OTHERS_SECONDS = 5.0

# Repairs something and returns sentences about it; None at the end.
Step = Callable[[], list[str] | None]


class Housekeeping:
    """Reconciliation and retention, run from within the worker."""

    def __init__(
        self,
        app: Flask,
        config: Config,
        storage: Storage,
        calls: CallRegistry,
        pbx: str,
        leads: Callable[[], bool],
    ) -> None:
        # A connection pool of its own: a native thread must not share one with greenlets.
        self._app, self._ari, self._calls = app, Ari(config, pool=1), calls
        self._pbx, self._leads = pbx, leads
        # The other PBXs, whose workers look after their own recordings.
        self._others: set[str] = set()
        self._others_until = 0.0
        self._thread = NativeThreads(1)
        self._connected = Flag()
        self._log = ThrottledLog(log)
        # A recording that a call is only just asking for is left to that call.
        grace = timedelta(seconds=MINUTE_SECONDS)
        self.context = CheckContext(storage, self._is_live, grace, is_ours=self._is_ours)

    def connected(self) -> None:
        """Complete at once what ended while no events were received."""
        self._others_until = 0.0
        self._connected.set()

    def run_every_minute(self) -> None:
        """Complete recordings whose call is over, at each connect and once a minute."""
        while True:
            self._connected.wait(MINUTE_SECONDS)
            self._connected.clear()
            self._try_step(lambda: reconcile.finalize_open_recordings(self.context).problems)

    def watch_folder(self) -> None:
        """Mark the recordings folder, and notice when another one is at its place."""
        while True:
            self._try_step(lambda: _adopt(self.context.storage))
            gevent.sleep(WATCH_SECONDS)

    def run_daily(self) -> None:
        """Once a day delete expired recordings, then compare the rest."""
        gevent.sleep(FIRST_FULL_SECONDS)
        while True:
            self.delete_expired()
            self.run_steps(reconcile.reconcile(self.context))
            self._sleep_until_tomorrow()

    def delete_expired(self) -> None:
        """Run retention, or log why it is refused."""
        self.run_steps(policy.delete_expired(self.context, self._ari.clock))

    def _sleep_until_tomorrow(self) -> None:
        """Sleep for a day, and run retention meanwhile if somebody confirms a refused run."""
        until = monotonic() + FULL_SECONDS
        while monotonic() < until:
            gevent.sleep(MINUTE_SECONDS)
            if self._try_step(_confirmation) is not None:
                self.delete_expired()

    def run_steps(self, steps: Iterator[reconcile.Report]) -> None:
        """Run step after step, with pauses for the calls."""
        while self._try_step(lambda: _next(steps)) is not None:
            gevent.sleep(CHUNK_PAUSE_SECONDS)

    def _try_step(self, step: Step) -> list[str] | None:
        """Run one step in the thread; None at the end, if it failed, and while standing by."""
        if not self._leads():
            return None
        try:
            sentences = self._thread.spawn(self._in_context, step).get()
        except policy.RetentionRefused as error:
            self._log.problem(str(error))
            return None
        except (reconcile.FolderError, OSError, SQLAlchemyError) as error:
            self._log.problem(f"recordings cannot be looked after: {error}")
            return None
        for sentence in sentences or []:
            log.info("%s", sentence)
        return sentences

    def _in_context(self, step: Step) -> list[str] | None:
        with self._app.app_context():
            if monotonic() > self._others_until:
                self._others = {pbx.name for pbx in heartbeat.living_pbxs()} - {self._pbx}
                self._others_until = monotonic() + OTHERS_SECONDS
            return step()

    def _is_ours(self, facts: Facts) -> bool:
        return facts.pbx not in self._others

    def _is_live(self, facts: Facts) -> bool | None:
        """Return True if a call of this worker leads it or Asterisk records it; None if unknown."""
        if facts.name in self._calls:
            return True
        if facts.pbx not in ("", self._pbx):
            # The Asterisk of a PBX that was given up cannot be asked.
            return None
        try:
            return self._ari.live_recording(facts.name) is not None
        except AriError:
            return None


def _confirmation() -> list[str] | None:
    """Return sentences if a refused run of retention was confirmed, else None."""
    run = runs.newest_confirmation()
    return None if run is None else [f"retention goes on, confirmed by {run.confirmed_by}"]


def _adopt(storage: Storage) -> None:
    """Adopt the folder where that is not done; the heartbeat reports what is wrong with it."""
    if storage.access_problem():
        return
    if storage.expected_id is None or storage.wrong_folder or storage.identity_problem():
        adoption.adopt(storage)


def _next(steps: Iterator[reconcile.Report]) -> list[str] | None:
    report = next(steps, None)
    return None if report is None else [*report.problems, *report.failures]
