"""Entry point of the worker, `python -m worker`: takes calls from Asterisk until it is stopped."""

# First of all, so that sockets, locks and sleeps of every import below cooperate.
from gevent import monkey

monkey.patch_all()

import logging  # noqa: E402
import os  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import sys  # noqa: E402
from functools import partial  # noqa: E402
from typing import TypeAlias  # noqa: E402

import gevent  # noqa: E402
from flask import Flask  # noqa: E402

from callytics import create_app  # noqa: E402
from callytics.ari.commands import Ari  # noqa: E402
from callytics.config import Config, ConfigError, load_config, read_environment  # noqa: E402
from callytics.identifiers import new_uid  # noqa: E402
from callytics.json_values import JsonObject  # noqa: E402
from callytics.pbx.lease import Claim  # noqa: E402
from callytics.pbx.names import kept_name, legacy_name, name_without_folder  # noqa: E402
from callytics.plain_text import OneLineFormatter  # noqa: E402
from callytics.storage.file_lock import FileLock  # noqa: E402
from callytics.storage.folder import Storage  # noqa: E402
from callytics.storage.private_files import keep_files_private  # noqa: E402
from worker.asterisk.event_stream import ApplicationReplaced, EventStream  # noqa: E402
from worker.calls.queue_board import QueueBoard  # noqa: E402
from worker.calls.registry import CallRegistry  # noqa: E402
from worker.calls.session import Services  # noqa: E402
from worker.dispatcher import Dispatcher  # noqa: E402
from worker.housekeeping import Housekeeping  # noqa: E402
from worker.persistence.heartbeat import Heartbeat  # noqa: E402
from worker.persistence.journal import Journal  # noqa: E402
from worker.persistence.leadership import Leadership, LeaseLost  # noqa: E402
from worker.persistence.outbox import Outbox  # noqa: E402
from worker.persistence.rules_cache import RulesCache  # noqa: E402
from worker.recording.recorder import Recorder  # noqa: E402
from worker.recovery.lost_pbx import give_up_lost  # noqa: E402
from worker.recovery.reconnect import Recovery  # noqa: E402
from worker.recovery.takeover import take_over  # noqa: E402
from worker.support.native_threads import NativeThreads, Result  # noqa: E402

log = logging.getLogger("worker")

# The longest that a native thread, at work on the disk or the database, holds up the calls.
SWITCH_SECONDS = 0.0005
# Time to write what is queued; the rest is found on disk at the next start.
FLUSH_SECONDS = 5.0
# The longest wait for a disk that may hang, before there is a call to care for.
NAME_SECONDS = 5.0

# A part of the worker that ended, or None for a signal.
Ended: TypeAlias = "gevent.Greenlet[..., object] | None"


def main() -> int:
    """Run until a signal or a fatal error, and return the exit code."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    keep_files_private()
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
    pbx = _pbx_name(config, storage)
    ari, rules = Ari(config), RulesCache(outbox, storage, pbx)
    registry, journal = CallRegistry(), Journal(storage, pbx)
    leadership = _leadership(config, storage, pbx, outbox, journal)
    housekeeping = Housekeeping(app, config, storage, registry, pbx, leadership.leads)
    give_up = partial(give_up_lost, outbox, pbx, housekeeping.connected)
    heartbeat = Heartbeat(leadership, rules, storage, give_up)
    services = Services(
        ari=ari,
        outbox=outbox,
        recorder=Recorder(ari, outbox, storage),
        rules=rules,
        board=QueueBoard(ari, outbox, pbx),
        journal=journal,
        register=registry.register,
        unregister=registry.unregister,
    )
    dispatcher = Dispatcher(services, registry, pbx)
    recovery = Recovery(dispatcher, registry, services, pbx)

    def on_connect(info: JsonObject) -> None:
        services.recorder.asterisk = info["status"]["startup_time"]
        # Not only by the lease: an upgrade finds its calls while the database is away.
        journal.take_over(legacy_name(config))
        heartbeat.connected(info["system"]["version"])
        gevent.spawn(rules.refresh)
        gevent.spawn(recovery.run).link(lambda _: housekeeping.connected())

    stream = EventStream(
        config, ari, leadership.connect, on_connect, dispatcher.put, heartbeat.disconnected
    )
    stop = _stop_signal()
    for run in (
        outbox.run,
        dispatcher.run,
        heartbeat.run,
        housekeeping.watch_folder,
        housekeeping.run_every_minute,
        housekeeping.run_daily,
        stream.run,
    ):
        # None of them ends by itself, and without any one of them no call would be led any more.
        gevent.spawn(run).link(stop.set)
    return _leave(outbox, heartbeat, leadership, stop.get())


def _leadership(
    config: Config, storage: Storage, pbx: str, outbox: Outbox, journal: Journal
) -> Leadership:
    claim = Claim(
        name=pbx,
        holder=new_uid(),
        host=socket.gethostname(),
        process=os.getpid(),
        application=config.ari_app,
        former_name=legacy_name(config),
    )
    lock = FileLock(storage, f".locks/{pbx}")
    return Leadership(outbox, lock, claim, lambda name: take_over(name, pbx, outbox, journal))


def _pbx_name(config: Config, storage: Storage) -> str:
    """Return the name of the PBX that this worker is for."""
    if config.pbx_name:
        return config.pbx_name
    try:
        return NativeThreads(1).call(NAME_SECONDS, kept_name, storage, config)
    except (gevent.Timeout, OSError) as error:
        name = name_without_folder(config)
        log.warning("the name of this PBX cannot be kept (%s): it is %s for now", error, name)
        return name


def _stop_signal() -> Result[Ended]:
    """Return a result that is set to None by a signal, or to the part that ended."""
    stop: Result[Ended] = Result()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stop.set)
    return stop


def _leave(outbox: Outbox, heartbeat: Heartbeat, leadership: Leadership, ended: Ended) -> int:
    """Write what is queued. Asterisk gets no command: calls and recordings in progress go on."""
    replaced = ended is not None and isinstance(ended.value, (ApplicationReplaced, LeaseLost))
    if ended is not None and replaced:
        # The row in the database is the other worker's by now.
        log.error("%s; this worker stops", ended.value)
    elif ended is not None:
        log.error("a part of this worker failed; it stops, so that it can be started anew")
        heartbeat.disconnected("the worker failed")
    else:
        heartbeat.disconnected("the worker was stopped")
        leadership.release()
    if not outbox.flush(FLUSH_SECONDS):
        log.warning("the database did not take everything; it will be found on disk")
    log.info("stopped; calls in progress go on")
    return 3 if replaced else int(ended is not None)


if __name__ == "__main__":
    code = main()
    logging.shutdown()
    # Not sys.exit: at an ordinary exit gevent unwinds every greenlet, and a call that is unwound
    # would clean up, that is, end.
    os._exit(code)
