"""What a request may wait for, but not for long, and never in the way of other requests."""

from collections.abc import Callable
from typing import Any, TypeVar

import gevent
from flask import Flask, current_app

from callytics.db import db

Result = TypeVar("Result")


def aside(function: Callable[..., Result], *args: Any, seconds: float) -> Result:
    """Call `function` with an app context of its own and wait at most `seconds` for its result.

    SQLite waits for another process's write without letting any other request run, so it does
    that in a thread; PostgreSQL's driver lets them run. After a time-out the call goes on and its
    result is lost. Raises TimeoutError, and whatever `function` raises.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    sqlite = db.engine.dialect.name == "sqlite"
    spawn = gevent.get_hub().threadpool.spawn if sqlite else gevent.spawn
    # Around all of it: where every thread is busy, it is spawn that waits.
    timeout = gevent.Timeout(seconds)
    try:
        with timeout:
            return spawn(_within, app, function, args).get()
    except gevent.Timeout as error:
        if error is not timeout:
            raise
        raise TimeoutError(f"not within {seconds} s") from error


def _within(app: Flask, function: Callable[..., Result], args: tuple[Any, ...]) -> Result:
    with app.app_context():
        return function(*args)
