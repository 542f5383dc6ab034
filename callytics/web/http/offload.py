"""Blocking work with a deadline, which holds up no other request.

On SQLite it runs in a native thread, on PostgreSQL in the greenlet of the request.
"""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import gevent
from flask import Flask, current_app
from gevent.event import AsyncResult
from gevent.lock import BoundedSemaphore, DummySemaphore

from callytics.database.engine import db

Result = TypeVar("Result")
Limiter = BoundedSemaphore | DummySemaphore

# A process has ten threads, and fifteen connections to PostgreSQL. A slow search may outlive its
# request; the limit leaves some threads and connections for fast work.
searches = BoundedSemaphore(6)
# Counts have a limit of their own, since no page waits for them.
counts = BoundedSemaphore(2)
_no_limit = DummySemaphore()


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


def _in_thread(call: Callable[[], Result], limiter: Limiter) -> Result:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # of a LocalProxy
    limiter.acquire()
    try:
        pending: AsyncResult[Result] = gevent.get_hub().threadpool.spawn(_within, app, call)
    except BaseException:
        limiter.release()
        raise
    # Released when the thread ends, which may be long after the timeout.
    pending.rawlink(lambda _: limiter.release())
    result: Result = pending.get()  # type: ignore[assignment]  # never None: it waits
    return result


def _within(app: Flask, call: Callable[[], Result]) -> Result:
    with app.app_context():
        return call()
