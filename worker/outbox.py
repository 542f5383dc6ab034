"""Ledger writes, in order and once each, beside the calls instead of in their way.

A call must not wait for a database that is locked or away: what is to be written is queued, and
one native thread writes it. SQLite would otherwise hold up every greenlet, not only its caller.
"""

import logging
from collections.abc import Callable
from typing import Any

import gevent
from flask import Flask
from gevent.event import AsyncResult
from gevent.queue import Queue
from sqlalchemy.exc import (
    DBAPIError,
    InterfaceError,
    InternalError,
    OperationalError,
    ProgrammingError,
)

from worker.notices import Notices
from worker.threads import Threads

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
# How long a greenlet with a person on the line waits for the database at most.
MOMENT_SECONDS = 0.25
# A table that PostgreSQL does not know is one that `flask db upgrade` is about to make.
_AWAY = (OperationalError, InterfaceError, InternalError, ProgrammingError)


class Outbox:
    """What the worker wants to tell the database, and what it asks it."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._writes: Queue = Queue()
        self._writer, self._readers = Threads(1), Threads(2)
        self._notices = Notices(log)

    def run(self) -> None:
        """Write for ever."""
        while True:
            write, args, done = self._writes.get()
            self._write(write, args, done)

    def put(self, write: Callable[..., Any], *args: Any) -> AsyncResult:
        """Queue `write(*args)`, a function of the ledger that may be repeated safely."""
        done = AsyncResult()
        self._writes.put((write, args, done))
        return done

    def ask(self, read: Callable[..., Any], *args: Any, seconds: float = MOMENT_SECONDS) -> Any:
        """The answer of `read(*args)`. Raises gevent.Timeout after `seconds`, DBAPIError."""
        return self._readers.ask(self._in_context, read, args, seconds=seconds)

    def flush(self, seconds: float) -> bool:
        """Wait until all that was put is written; False when it took longer."""
        return self.put(_nothing).wait(timeout=seconds) is True

    def _write(self, write: Callable[..., Any], args: Any, done: AsyncResult) -> None:
        while True:
            try:
                done.set(self._writer.spawn(self._in_context, write, args).get())
                self._notices.over("the database answers again")
                return
            except _AWAY as error:
                self._notices.warn(f"DATABASE_URL: the database is away ({in_short(error)})")
                gevent.sleep(RETRY_SECONDS)
            except Exception as error:
                # Not the database's absence but our own fault; later writes must not wait for it.
                log.exception("%s could not be written", write.__name__)
                done.set_exception(error)
                return

    def _in_context(self, function: Callable[..., Any], args: Any) -> Any:
        with self._app.app_context():
            return function(*args)


def _nothing() -> bool:
    return True


def in_short(error: BaseException) -> str:
    """The first line of what the driver says; SQLAlchemy's own words would add the statement."""
    said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return (said.strip().splitlines() or [type(error).__name__])[0][:200]
