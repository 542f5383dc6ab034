"""Services of a worker in the test process, for tests of sessions without a worker."""

from pathlib import Path

from flask import Flask

from callytics.ari.commands import Ari
from callytics.config import load_config
from callytics.storage.folder import Storage
from worker.calls.queue_board import QueueBoard
from worker.calls.registry import CallRegistry
from worker.calls.session import Services
from worker.persistence.journal import Journal
from worker.persistence.outbox import Outbox
from worker.persistence.rules_cache import RulesCache
from worker.recording.recorder import Recorder


def new_services(environment: dict[str, str]) -> Services:
    """Return services whose writes to the database stay queued."""
    ari, storage = Ari(load_config(environment)), Storage(Path(environment["RECORDINGS_DIR"]))
    outbox, registry = Outbox(Flask(__name__)), CallRegistry()
    return Services(
        ari=ari,
        outbox=outbox,
        recorder=Recorder(ari, outbox, storage),
        rules=RulesCache(outbox, storage, "office"),
        board=QueueBoard(ari, outbox, "office"),
        journal=Journal(storage, "office"),
        register=registry.register,
        unregister=registry.unregister,
    )
