"""Queue board of the worker: claims and releases of members reach the database in their order."""

import sqlite3
from contextlib import closing

import gevent
from sqlalchemy import select

from callytics.ari.commands import Ari
from callytics.clock import utc_now
from callytics.config import load_config
from callytics.database.engine import db
from callytics.flows.parts import Queue
from callytics.queues.models import Member
from tests.support.shelf import Shelf
from worker.calls.queue_board import QueueBoard, Waiter
from worker.persistence.outbox import CALL_WAIT_SECONDS, Outbox

# A number behind a trunk, so that no state of a device is asked for.
MEMBER = "PJSIP/15550100@trunk"
TEAM = Queue(members=[MEMBER])
TIMES = 3


def test_a_claim_that_was_given_up_is_never_written_after_its_release(
    app_env: dict[str, str],
) -> None:
    app = Shelf.of(app_env).app
    outbox = Outbox(app)
    board = QueueBoard(Ari(load_config(app_env)), outbox, "worker")
    gevent.spawn(outbox.run)
    claimed: list[str | None] = []
    with closing(sqlite3.connect(app_env["DATABASE_URL"].removeprefix("sqlite:///"))) as somebody:
        for number in range(TIMES):
            waiter = Waiter(f"call{number}", "team", utc_now(), lambda: None)
            board.join(waiter, "15550101")
            assert outbox.flush(60)
            somebody.execute("BEGIN IMMEDIATE")
            assert board.take(waiter, TEAM) == [MEMBER]
            board.release(MEMBER, waiter.call_uid)
            board.leave(waiter)
            # Longer than the board waits for the database.
            gevent.sleep(CALL_WAIT_SECONDS)
            somebody.rollback()
            assert outbox.flush(60)
            with app.app_context(), db.engine.connect() as connection:
                claimed.append(connection.scalar(select(Member.call_uid)))
    assert claimed == [None] * TIMES
