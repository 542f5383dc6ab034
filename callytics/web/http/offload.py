"""Blocking work with a deadline, which holds up no other request.

What asks the database runs in a native thread on SQLite, in the greenlet of the request on
PostgreSQL; what touches the recordings folder always runs in a thread of a pool of its own.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import TypeVar, cast

import gevent
from flask import Flask, current_app
from gevent.event import AsyncResult
from gevent.lock import BoundedSemaphore, DummySemaphore
from gevent.threadpool import ThreadPool

from callytics.database.engine import db

Result = TypeVar("Result")
Limiter = BoundedSemaphore | DummySemaphore
# Value or error of what ran in a thread.
_Outcome = tuple[Result | None, Exception | None]

# A process has ten threads, and fifteen connections to PostgreSQL. A slow search may outlive its
# request; the limit leaves some threads and connections for fast work.
searches = BoundedSemaphore(6)
# Counts have a limit of their own, since no page waits for them.
counts = BoundedSemaphore(2)
_no_limit = DummySemaphore()
# One entry after the other, so that those of one listening find the first.
_audit_turn = BoundedSemaphore(1)
# A disk that hangs takes these threads, and none that a query needs.
_DISK_THREADS = 6


def run_with_deadline(
    function: Callable[..., Result],
    *args: object,
    seconds: float,
    limiter: Limiter = _no_limit,
    **options: object,
) -> Result:
    """Return `function(*args, **options)`, or raise TimeoutError after `seconds`.

    SQLite waits for another process's write without letting other greenlets run, so the call runs
    in a thread, which goes on after a timeout. The driver of PostgreSQL lets them run, and its
    query is broken off. `limiter` bounds how many calls of one kind run at once. Raises what
    `function` raises. Needs an app context.
    """
    call = partial(function, *args, **options)
    timeout = gevent.Timeout(seconds)
    try:
        # The timeout covers the spawn too, which waits while every thread is busy.
        with timeout:
            if db.engine.dialect.name == "sqlite":
                return _in_thread(call, limiter)
            with limiter:
                return call()
    except gevent.Timeout as error:
        if error is not timeout:
            raise
        raise TimeoutError(f"not within {seconds} s") from error


def run_on_disk(function: Callable[..., Result], *args: object, seconds: float) -> Result:
    """Return `function(*args)`, which touches the disk, or raise TimeoutError after `seconds`.

    The thread goes on after a timeout. Raises what `function` raises. Needs an app context, and
    gives one to `function`.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # of a LocalProxy
    timeout = gevent.Timeout(seconds)
    try:
        # The timeout covers the spawn too, which waits while every thread is busy.
        with timeout:
            return _value(_disk_threads().spawn(_within, app, partial(function, *args)))
    except gevent.Timeout as error:
        if error is not timeout:
            raise
        raise TimeoutError(f"the disk does not answer within {seconds} s") from error


def run_audit(function: Callable[..., Result], *args: object, seconds: float) -> Result:
    """Return `function(*args)`, which writes to the audit, or raise TimeoutError after `seconds`.

    On SQLite in a thread of its own: work of other kinds, however much, keeps no entry waiting.
    Raises what `function` raises. Needs an app context.
    """
    if db.engine.dialect.name != "sqlite":
        return run_with_deadline(function, *args, seconds=seconds, limiter=_audit_turn)
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # of a LocalProxy
    timeout = gevent.Timeout(seconds)
    try:
        # The timeout covers the spawn too: what waits for the thread in vain never runs.
        with timeout:
            return _value(_audit_thread().spawn(_within, app, partial(function, *args)))
    except gevent.Timeout as error:
        if error is not timeout:
            raise
        raise TimeoutError(f"no audit entry within {seconds} s") from error


@cache
def _audit_thread() -> ThreadPool:
    # For each process; made after gunicorn has forked.
    return ThreadPool(1)


@cache
def _disk_threads() -> ThreadPool:
    # For each process; made after gunicorn has forked.
    return ThreadPool(_DISK_THREADS)


def _in_thread(call: Callable[[], Result], limiter: Limiter) -> Result:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # of a LocalProxy
    limiter.acquire()
    try:
        pending: AsyncResult[_Outcome[Result]] = gevent.get_hub().threadpool.spawn(
            _within, app, call
        )
    except BaseException:
        limiter.release()
        raise
    # Released when the thread ends, which may be long after the timeout.
    pending.rawlink(lambda _: limiter.release())
    return _value(pending)


def _within(app: Flask, call: Callable[[], Result]) -> _Outcome[Result]:
    """Return value and error of `call`: gevent prints what a thread raises, expected or not."""
    try:
        with app.app_context():
            return call(), None
    except Exception as error:
        return None, error


def _value(pending: "AsyncResult[_Outcome[Result]]") -> Result:
    """Wait for a thread; return its value or raise its error."""
    value, error = pending.get()  # type: ignore[misc]  # never None: it waits
    if error is not None:
        raise error
    return cast(Result, value)
