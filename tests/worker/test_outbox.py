"""Outbox of the worker: queued writes share transactions, keep their order, and none is lost."""

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import gevent
import psycopg
import pytest
from flask import Flask
from gevent.event import AsyncResult, Event
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from callytics.calls.ledger import save_call
from callytics.database import engine as database
from callytics.database.engine import db
from callytics.database.transactions import single_transaction, writing
from callytics.recordings import ledger
from callytics.recordings.facts import Facts
from callytics.recordings.models import Recording
from tests.support.postgres import Postgres
from tests.support.shelf import STARTED_AT, Shelf
from worker.persistence.outbox import LARGEST_BATCH, Outbox


@pytest.fixture
def app(any_env: dict[str, str]) -> Flask:
    return Shelf.of(any_env).app


@pytest.fixture
def outbox(app: Flask) -> Outbox:
    """Outbox that does not run yet, so that all writes are queued when it starts."""
    return Outbox(app)


@pytest.fixture(autouse=True)
def no_test_hangs() -> Iterator[None]:
    with gevent.Timeout(120, AssertionError("it is not written")):
        yield


def facts(uid: str = "a1", **changes: Any) -> Facts:
    usual = {"kind": "queue", "direction": "inbound", "state": "requested", "format": "wav"}
    return Facts(**{"uid": uid, "started_at": STARTED_AT, **usual, **changes})


def seen() -> dict[str, str]:
    """Return uid and state of the recordings that another connection sees, in order."""
    query = select(Recording.uid, Recording.state).order_by(Recording.id)
    with db.engine.connect() as connection:
        return dict(map(tuple, connection.execute(query)))


def seen_in(app: Flask) -> dict[str, str]:
    with app.app_context():
        return seen()


def put_states(outbox: Outbox, uid: str, *states: str) -> list[AsyncResult]:
    return [outbox.put(ledger.save_recording, facts(uid, state=state)) for state in states]


def test_what_is_queued_is_seen_by_others_all_at_once(app: Flask, outbox: Outbox) -> None:
    when_done: list[dict[str, str]] = []
    first, _ = put_states(outbox, "a1", "requested", "available")
    first.rawlink(lambda _: when_done.append(seen_in(app)))
    meanwhile = outbox.put(seen)
    put_states(outbox, "b2", "requested")
    gevent.spawn(outbox.run)
    assert outbox.flush(60)
    assert meanwhile.get() == {}
    assert when_done == [{"a1": "available", "b2": "requested"}]


def test_so_many_at_most_are_written_together(app: Flask, outbox: Outbox) -> None:
    for number in range(LARGEST_BATCH):
        put_states(outbox, f"a{number}", "requested")
    next_one = outbox.put(seen)
    gevent.spawn(outbox.run)
    assert list(next_one.get()) == [f"a{number}" for number in range(LARGEST_BATCH)]


def test_a_write_at_fault_fails_alone_and_all_others_are_written_in_order(
    app: Flask, outbox: Outbox, caplog: pytest.LogCaptureFixture
) -> None:
    put_states(outbox, "a1", "requested", "recording")
    faulty = outbox.put(save_call, {"uid": "c1", "started_at": STARTED_AT})
    before = outbox.put(seen)
    put_states(outbox, "b2", "requested")
    gone = outbox.put(ledger.forget_recording, "b2")
    put_states(outbox, "a1", "available")
    gevent.spawn(outbox.run)
    assert outbox.flush(60)
    with pytest.raises(IntegrityError):
        faulty.get()
    assert (before.get(), gone.get()) == ({"a1": "recording"}, True)
    assert seen_in(app) == {"a1": "available"}
    assert caplog.messages == ["save_call could not be written"]


def test_a_part_whose_error_somebody_caught_is_not_left_out_of_the_whole(app: Flask) -> None:
    with app.app_context():
        with pytest.raises(RuntimeError, match="together"), single_transaction():
            ledger.save_recording(facts("a1"))
            with pytest.raises(ZeroDivisionError), writing():
                raise ZeroDivisionError
        assert seen() == {}
        ledger.save_recording(facts("b2"))
        assert list(seen()) == ["b2"]


@pytest.mark.parametrize("any_env", ["postgresql"], indirect=True)
def test_postgresql_that_goes_away_in_the_middle_has_all_of_it_when_it_is_back(
    postgres: Postgres, app: Flask, outbox: Outbox
) -> None:
    away, gone = gevent.get_hub().loop.async_(), Event()
    away.start(gone.set)

    def go_away() -> None:
        if not gone.is_set():
            postgres.terminate()
            away.send()

    put_states(outbox, "a1", "requested", "recording")
    outbox.put(go_away)
    put_states(outbox, "a1", "available")
    put_states(outbox, "b2", "requested")
    gevent.spawn(outbox.run)
    gone.wait()
    postgres.start()
    assert outbox.flush(60)
    assert seen_in(app) == {"a1": "available", "b2": "requested"}


def test_sqlite_that_somebody_locks_has_all_of_it_afterwards(
    app_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_MS", 50)
    app = Shelf.of(app_env).app
    outbox = Outbox(app)
    with closing(sqlite3.connect(app_env["DATABASE_URL"].removeprefix("sqlite:///"))) as somebody:
        somebody.execute("BEGIN EXCLUSIVE")
        put_states(outbox, "a1", "requested", "recording", "available")
        last = put_states(outbox, "b2", "requested")
        gevent.spawn(outbox.run)
        with caplog.at_level(logging.WARNING):
            while not any("the database is away" in said for said in caplog.messages):
                gevent.sleep(0.02)
        assert not last[0].ready()
        somebody.rollback()
    assert outbox.flush(60)
    assert seen_in(app) == {"a1": "available", "b2": "requested"}


@pytest.mark.parametrize("any_env", ["postgresql"], indirect=True)
def test_a_group_and_who_changes_a_row_of_it_do_not_wait_for_each_other(
    any_env: dict[str, str], app: Flask, outbox: Outbox
) -> None:
    """Without the lock taken first, each would hold what the other waits for."""
    calls: list[str] = []
    with app.app_context():
        ledger.save_recording(facts("a1"))
    outbox.put(ledger.save_waveform, "a1", b"peaks")
    outbox.put(calls.append, "once")
    put_states(outbox, "b2", "requested")
    with app.app_context(), ledger.adding_recordings() as connection:
        gevent.spawn(outbox.run)
        with psycopg.connect(any_env["DATABASE_URL"], autocommit=True) as looking:
            while not looking.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                gevent.sleep(0.02)
        connection.execute(Recording.__table__.update().values(state="available"))
    assert outbox.flush(60)
    assert seen_in(app) == {"a1": "available", "b2": "requested"}
    assert calls == ["once"]
