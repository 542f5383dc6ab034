"""`python -m worker`: takes calls from Asterisk until it is told to stop."""

# First of all, so that sockets, locks and sleeps of every import below cooperate.
from gevent import monkey

monkey.patch_all()

import logging  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import sys  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from flask import Flask  # noqa: E402
from gevent.event import AsyncResult  # noqa: E402

from callytics import create_app  # noqa: E402
from callytics.ari.commands import Ari  # noqa: E402
from callytics.config import Config, ConfigError, load_config, read_environment  # noqa: E402
from callytics.storage.folder import Storage  # noqa: E402
from worker.asterisk.event_stream import Listener, Replaced  # noqa: E402
from worker.calls.queue_board import Board  # noqa: E402
from worker.calls.registry import Routes  # noqa: E402
from worker.calls.session import Services  # noqa: E402
from worker.dispatcher import Runner  # noqa: E402
from worker.housekeeping import Upkeep  # noqa: E402
from worker.persistence.heartbeat import Presence  # noqa: E402
from worker.persistence.journal import Journal  # noqa: E402
from worker.persistence.outbox import Outbox  # noqa: E402
from worker.persistence.rules_cache import Rules  # noqa: E402
from worker.recording.recorder import Recorder  # noqa: E402
from worker.recovery.reconnect import Recovery  # noqa: E402

log = logging.getLogger("worker")

# The longest that a native thread, at work on the disk or the database, holds up the calls.
SWITCH_SECONDS = 0.0005
# What is still to be written gets this long; the rest is found on disk at the next start.
FLUSH_SECONDS = 5.0


def main() -> int:
    """Run until a signal or a fatal error; the exit code."""
    logging.basicConfig(
        level=logging.INFO, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s"
    )
    # At this level urllib3 tells of each kept connection that Asterisk closed.
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    try:
        config = load_config(read_environment())
        app = create_app(config)
    except ConfigError as error:
        log.error("%s", error)
        return 2
    return _work(config, app)


def _work(config: Config, app: Flask) -> int:
    sys.setswitchinterval(SWITCH_SECONDS)
    outbox, storage = Outbox(app), Storage(config.recordings_dir)
    ari, rules = Ari(config), Rules(outbox, storage)
    presence = Presence(outbox, rules, storage, config)
    routes = Routes()
    services = Services(
        ari=ari,
        outbox=outbox,
        recorder=Recorder(ari, outbox, storage),
        rules=rules,
        board=Board(ari, outbox, presence.name),
        journal=Journal(storage),
        watch=routes.watch,
        forget=routes.forget,
    )
    runner = Runner(services, routes, presence.name)
    recovery = Recovery(runner, routes, services, presence.name)
    upkeep = Upkeep(app, config, storage, routes)

    def on_connect(info: dict[str, Any]) -> None:
        services.recorder.asterisk = info["status"]["startup_time"]
        presence.connected(info["system"]["version"])
        gevent.spawn(rules.refresh)
        gevent.spawn(recovery.run).link(lambda _: upkeep.connected())

    listener = Listener(config, ari, on_connect, runner.put, presence.disconnected)
    stop = _stop_signal()
    parts = (outbox.run, runner.run, presence.run, upkeep.run_often, upkeep.run_daily)
    for run in (*parts, listener.run):
        # None of them ever ends by itself; without one of them no call would be led any more.
        gevent.spawn(run).link(stop.set)
    return _leave(outbox, presence, stop.get())


def _stop_signal() -> AsyncResult:
    """Set to None by a signal, or to the greenlet that ended."""
    stop = AsyncResult()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stop.set)
    return stop


def _leave(outbox: Outbox, presence: Presence, ended: gevent.Greenlet | None) -> int:
    """Go without a command to Asterisk: calls and recordings in progress go on."""
    replaced = ended is not None and isinstance(ended.value, Replaced)
    if replaced:
        # The row is the other worker's by now.
        log.error("%s; this worker stops", ended.value)
    elif ended is not None:
        log.error("a part of this worker failed; it stops, so that it can be started anew")
        presence.disconnected("the worker failed")
    else:
        presence.disconnected("the worker was stopped")
    if not outbox.flush(FLUSH_SECONDS):
        log.warning("the database did not take everything; it will be found on disk")
    log.info("stopped; calls in progress go on")
    return 3 if replaced else int(ended is not None)


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    # Not sys.exit: at an ordinary exit gevent unwinds every greenlet, and a call that is unwound
    # would be tidied up, that is, ended.
    os._exit(code)
