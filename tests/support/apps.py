"""Applications in the process of the tests, which close what they opened when the test ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

from flask import Flask

from callytics import close_app, create_app
from callytics.config import load_config

# All there are, and, so that none is collected before it was closed, those of the test that runs.
# One that a fixture made for many tests is closed after each of them, and opens anew.
_all: WeakSet[Flask] = WeakSet()
_new: list[Flask] = []


def new_app(environment: dict[str, str]) -> Flask:
    """Return the application of an installation; it is closed after the test that asked for it."""
    app = create_app(load_config(environment))
    _all.add(app)
    _new.append(app)
    return app


@contextmanager
def app_of(environment: dict[str, str]) -> Iterator[Flask]:
    """The application of an installation in its context, closed at the end of the block."""
    app = create_app(load_config(environment))
    try:
        with app.app_context():
            yield app
    finally:
        close_app(app)


def close_all() -> None:
    """Close every application that is open."""
    for app in _all:
        close_app(app)
    _new.clear()
