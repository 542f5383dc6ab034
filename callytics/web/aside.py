"""What a request may wait for, but not for long, and never in the way of other requests."""

from collections.abc import Callable
from typing import Any, TypeVar

import gevent
from flask import Flask, current_app

from callytics.db import db

Result = TypeVar("Result")


def aside(function: Callable[..., Result], *args: Any, seconds: float) -> Result:
    """Call `function` and wait at most `seconds` for its result. Needs an app context.

    SQLite waits for another process's write without letting any other request run, so it does
    that in a thread, which goes on after a time-out; PostgreSQL's driver lets them run, and is
    broken off. Raises TimeoutError, and whatever `function` raises.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    timeout = gevent.Timeout(seconds)
    try:
        # Around all of it: where every thread is busy, it is spawn that waits.
        with timeout:
            if db.engine.dialect.name == "sqlite":
                return gevent.get_hub().threadpool.spawn(_within, app, function, args).get()
            return function(*args)
    except gevent.Timeout as error:
        if error is not timeout:
            raise
        raise TimeoutError(f"not within {seconds} s") from error


def _within(app: Flask, function: Callable[..., Result], args: tuple[Any, ...]) -> Result:
    with app.app_context():
        return function(*args)
