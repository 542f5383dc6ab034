"""Outbox: ledger writes queued by the calls, written to the database in order by one thread.

A call must not wait for a database that is locked or away, and SQLite would block every greenlet,
not only its caller.

All writes that are queued by the time the thread is free share one transaction, since its commit
takes most of the time. No write waits for more to come.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

import gevent
from flask import Flask
from gevent.queue import Queue
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)

from callytics.database.transactions import single_transaction
from callytics.recordings import ledger
from worker.support.native_threads import NativeThreads, Result
from worker.support.throttled_log import ThrottledLog

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

RETRY_SECONDS = 1.0
# The longest that a greenlet with a person on the line waits for the database.
CALL_WAIT_SECONDS = 0.25
# Writes in one transaction, by then its commit costs each of them little. It takes some 50 ms, in
# which no other process can write to SQLite.
LARGEST_BATCH = 50
# After a full batch: processes that wait to write to SQLite poll for the lock, and would seldom
# find it free between two batches.
BATCH_PAUSE_SECONDS = 0.001
# ProgrammingError: PostgreSQL does not know a table that `flask db upgrade` is about to create.
_AWAY = (OperationalError, InterfaceError, InternalError, ProgrammingError)


@dataclass(frozen=True)
class _Write:
    """A queued call of a ledger function, and the result that its caller may wait for."""

    function: Callable[..., object]
    call: Callable[[], object]
    result: Result[object]


class Outbox:
    """The worker's access to the database: queued writes, and calls with a deadline."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._writes: Queue[_Write] = Queue()
        self._writer, self._callers = NativeThreads(1), NativeThreads(2)
        self._log = ThrottledLog(log)

    def run(self) -> None:
        """Write batch after batch, forever."""
        while True:
            batch = self._next_batch()
            if not self._write_batch(batch):
                for write in batch:
                    self._write(write)
            elif len(batch) == LARGEST_BATCH:
                gevent.sleep(BATCH_PAUSE_SECONDS)

    def put(self, write: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        """Queue `write(...)`, a function of the ledger that is safe to repeat."""
        result: Result[T] = Result()
        self._writes.put(_Write(write, partial(write, *args, **kwargs), result))
        return result

    def call(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return `function(...)` without waiting for the queue.

        Raises gevent.Timeout after CALL_WAIT_SECONDS, and DBAPIError.
        """
        return self.call_within(CALL_WAIT_SECONDS, function, *args, **kwargs)

    def call_within(
        self, seconds: float, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return `function(...)` as `call` does, but wait up to `seconds`."""
        call = partial(function, *args, **kwargs)
        return self._callers.call(seconds, self._in_context, call)

    def flush(self, seconds: float) -> bool:
        """Wait until everything queued so far is written; False if that takes longer."""
        return self.put(_nothing).wait(timeout=seconds) is True

    def _next_batch(self) -> list[_Write]:
        """Wait for the next write, and take those queued behind it."""
        batch = [self._writes.get()]
        while len(batch) < LARGEST_BATCH and not self._writes.empty():
            batch.append(self._writes.get())
        return batch

    def _write_batch(self, batch: Sequence[_Write]) -> bool:
        """Write several in one transaction; False if none of them was written.

        Then one of them is at fault or the database is away; writing them one by one shows it.
        """
        if len(batch) == 1:
            return False
        try:
            values = self._writer.spawn(self._in_context, partial(_call_together, batch)).get()
        except Exception:
            return False
        for write, value in zip(batch, values, strict=True):
            write.result.set(value)
        self._log.recovered("the database answers again")
        return True

    def _write(self, write: _Write) -> None:
        while True:
            try:
                value = self._writer.spawn(self._in_context, write.call).get()
            except _AWAY as error:
                self._log.problem(f"DATABASE_URL: the database is away ({driver_message(error)})")
                gevent.sleep(RETRY_SECONDS)
            except Exception as error:
                # A fault of this write, not the database's absence: later writes must not wait.
                log.exception("%s could not be written", write.function.__name__)
                write.result.set_exception(error)
                return
            else:
                write.result.set(value)
                self._log.recovered("the database answers again")
                return

    def _in_context(self, call: Callable[[], T]) -> T:
        with self._app.app_context():
            return call()


def _call_together(batch: Sequence[_Write]) -> list[object]:
    # The lock for adding recordings comes first: a transaction that takes it after locking rows
    # would deadlock with a holder of the lock that wants those rows.
    with single_transaction(), ledger.adding_recordings():
        return [write.call() for write in batch]


def _nothing() -> bool:
    return True


def driver_message(error: BaseException) -> str:
    """Return the first line of the driver's message; SQLAlchemy's own would add the statement."""
    text = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return (text.strip().splitlines() or [type(error).__name__])[0][:200]
