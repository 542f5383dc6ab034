"""Queue board of the worker: claims and releases of members reach the database in their order."""

import sqlite3
from contextlib import closing
from time import monotonic

import gevent
import pytest
from sqlalchemy import select

from callytics.ari.commands import Ari
from callytics.clock import utc_now
from callytics.config import load_config
from callytics.database.engine import db
from callytics.flows.parts import Queue
from callytics.queues import membership
from callytics.queues.models import Member
from tests.support.pbxs import record_heartbeat
from tests.support.shelf import Shelf
from tests.support.waiting import wait_until
from worker.calls.queue_board import YIELD_SECONDS, QueueBoard, Waiter
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


def test_a_member_who_is_free_is_left_to_the_caller_of_another_pbx_who_waits_longer(
    app_env: dict[str, str],
) -> None:
    app = Shelf.of(app_env).app
    outbox, ari = Outbox(app), Ari(load_config(app_env))
    gevent.spawn(outbox.run)
    with app.app_context():
        for pbx in ("one", "two"):
            record_heartbeat(pbx, utc_now(), utc_now(), "22")
    boards = {pbx: QueueBoard(ari, outbox, pbx) for pbx in ("one", "two")}
    waiters = {}
    for pbx, board in boards.items():
        waiters[pbx] = Waiter(f"call-{pbx}", "team", utc_now(), lambda: None)
        board.join(waiters[pbx], "15550101")
    assert outbox.flush(60)
    # The one who came later asks first.
    assert boards["two"].take(waiters["two"], TEAM) == []
    assert boards["one"].take(waiters["one"], TEAM) == [MEMBER]
    assert outbox.flush(60)
    assert boards["two"].take(waiters["two"], TEAM) == []
    boards["one"].release(MEMBER, "call-one")
    boards["one"].leave(waiters["one"])
    assert outbox.flush(60)
    assert boards["two"].take(waiters["two"], TEAM) == [MEMBER]


def test_a_member_whom_the_first_caller_cannot_have_is_not_left_free_for_long(
    app_env: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    app = Shelf.of(app_env).app
    outbox = Outbox(app)
    gevent.spawn(outbox.run)
    with app.app_context():
        record_heartbeat("one", utc_now(), utc_now(), "22")
        membership.enter("call-one", "team", "one", "15550101", utc_now())
    board = QueueBoard(Ari(load_config(app_env)), outbox, "two")
    waiter = Waiter("call-two", "team", utc_now(), lambda: None)
    board.join(waiter, "15550102")
    assert outbox.flush(60)
    assert wait_until(lambda: _seconds_until_taken(board, waiter, caplog), "it is taken")


def _seconds_until_taken(
    board: QueueBoard, waiter: Waiter, caplog: pytest.LogCaptureFixture
) -> float | None:
    """Return how long the member was left; None if the database was too slow to say anything."""
    caplog.clear()
    waiter.yields_since, began = None, monotonic()
    while not board.take(waiter, TEAM):
        assert monotonic() - began < 30
        gevent.sleep(0.1)
    seconds = monotonic() - began
    board.release(MEMBER, waiter.call_uid)
    if "the database is away" in caplog.text:
        return None
    assert seconds >= YIELD_SECONDS
    return seconds
