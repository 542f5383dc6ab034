"""What a request may wait for, but not for long, and never in the way of other requests."""

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import gevent
from flask import Flask, current_app
from gevent.event import AsyncResult
from gevent.lock import BoundedSemaphore, DummySemaphore

from callytics.database.engine import db

Result = TypeVar("Result")


# A process has ten threads, and fifteen connections to PostgreSQL. Searches that take long, be it
# after nobody waits for them any more, leave some of them for what is quick.
searches = BoundedSemaphore(6)
# Beside them, what nobody waits for in order to go on.
counts = BoundedSemaphore(2)
_no_limit = DummySemaphore()


def run_with_deadline(
    function: Callable[..., Result],
    *args: Any,
    seconds: float,
    limiter: BoundedSemaphore | DummySemaphore = _no_limit,
    **options: Any,
) -> Result:
    """Call `function` and wait at most `seconds` for its result. Needs an app context.

    SQLite waits for another process's write without letting any other request run, so it does
    that in a thread, which goes on after a time-out; PostgreSQL's driver lets them run, and is
    broken off. `limiter` is a semaphore for those of which only so many may be at work. Raises
    TimeoutError, and whatever `function` raises.
    """
    timeout = gevent.Timeout(seconds)
    try:
        # Around all of it: where every thread is busy, it is spawn that waits.
        with timeout:
            if db.engine.dialect.name == "sqlite":
                return _in_thread(partial(function, *args, **options), limiter).get()
            with limiter:
                return function(*args, **options)
    except gevent.Timeout as error:
        if error is not timeout:
            raise
        raise TimeoutError(f"not within {seconds} s") from error


def _in_thread(
    function: Callable[[], Any], limiter: BoundedSemaphore | DummySemaphore
) -> AsyncResult:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    limiter.acquire()
    try:
        result = gevent.get_hub().threadpool.spawn(_within, app, function)
    except BaseException:
        limiter.release()
        raise
    # When the thread is done, which may be long after the time-out.
    result.rawlink(lambda _: limiter.release())
    return result


def _within(app: Flask, function: Callable[[], Result]) -> Result:
    with app.app_context():
        return function()
