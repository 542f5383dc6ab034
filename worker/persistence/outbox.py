"""Ledger writes, in order and once each, beside the calls instead of in their way.

A call must not wait for a database that is locked or away: what is to be written is queued, and
one native thread writes it. SQLite would otherwise hold up every greenlet, not only its caller.

Whatever is queued by the time the thread is free goes into one transaction, since it is the end
of each that takes long. Nothing waits for more to come.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
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

from callytics.database.transactions import single_transaction
from callytics.recordings import ledger
from worker.support.native_threads import Threads
from worker.support.throttled_log import Notices

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
# How long a greenlet with a person on the line waits for the database at most.
MOMENT_SECONDS = 0.25
# Of one transaction: its end costs each of them little then. It is over after some 50 ms, until
# which nobody else can write to SQLite.
MOST_TOGETHER = 50
# After it, where more is queued: others look only now and then whether they can write, and would
# seldom find a moment between two of ours.
BREATH_SECONDS = 0.001
# A table that PostgreSQL does not know is one that `flask db upgrade` is about to make.
_AWAY = (OperationalError, InterfaceError, InternalError, ProgrammingError)


@dataclass(frozen=True)
class _Write:
    """A function of the ledger that is to be called, and who waits for what it says."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    done: AsyncResult = field(default_factory=AsyncResult)


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
            queued = self._queued()
            if not self._written_together(queued):
                for write in queued:
                    self._write(write)
            elif len(queued) == MOST_TOGETHER:
                gevent.sleep(BREATH_SECONDS)

    def _queued(self) -> list[_Write]:
        """The next to be written: one at least, and those behind it that are there already."""
        queued = [self._writes.get()]
        while len(queued) < MOST_TOGETHER and not self._writes.empty():
            queued.append(self._writes.get())
        return queued

    def put(self, write: Callable[..., Any], *args: Any) -> AsyncResult:
        """Queue `write(*args)`, a function of the ledger that may be repeated safely."""
        queued = _Write(write, args)
        self._writes.put(queued)
        return queued.done

    def ask(self, read: Callable[..., Any], *args: Any, seconds: float = MOMENT_SECONDS) -> Any:
        """The answer of `read(*args)`. Raises gevent.Timeout after `seconds`, DBAPIError."""
        return self._readers.ask(self._in_context, read, args, seconds=seconds)

    def flush(self, seconds: float) -> bool:
        """Wait until all that was put is written; False when it took longer."""
        return self.put(_nothing).wait(timeout=seconds) is True

    def _written_together(self, writes: Sequence[_Write]) -> bool:
        """Whether several could be written at once; if not, none of them is.

        Then one of them is at fault or the database is away, which each of them alone tells.
        """
        if len(writes) == 1:
            return False
        try:
            said = self._writer.spawn(self._in_context, _call_together, (writes,)).get()
        except Exception:
            return False
        for write, answer in zip(writes, said, strict=True):
            write.done.set(answer)
        self._notices.over("the database answers again")
        return True

    def _write(self, write: _Write) -> None:
        while True:
            try:
                said = self._writer.spawn(self._in_context, write.function, write.args).get()
            except _AWAY as error:
                self._notices.warn(f"DATABASE_URL: the database is away ({in_short(error)})")
                gevent.sleep(RETRY_SECONDS)
            except Exception as error:
                # Not the database's absence but our own fault; later writes must not wait for it.
                log.exception("%s could not be written", write.function.__name__)
                write.done.set_exception(error)
                return
            else:
                write.done.set(said)
                self._notices.over("the database answers again")
                return

    def _in_context(self, function: Callable[..., Any], args: Any) -> Any:
        with self._app.app_context():
            return function(*args)


def _call_together(writes: Sequence[_Write]) -> list[Any]:
    # The turn to add recordings first of all: who took it with rows in hand that another one with
    # the turn wants would wait for them for ever.
    with single_transaction(), ledger.adding_recordings():
        return [write.function(*write.args) for write in writes]


def _nothing() -> bool:
    return True


def in_short(error: BaseException) -> str:
    """The first line of what the driver says; SQLAlchemy's own words would add the statement."""
    said = str(error.orig) if isinstance(error, DBAPIError) else str(error)
    return (said.strip().splitlines() or [type(error).__name__])[0][:200]
