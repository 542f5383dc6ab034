"""Applications in the process of the tests, which close what they opened when the test ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache

from callytics import close_app, create_app
from callytics.config import load_config

# All there are, and, so that none is collected before it was closed, those of the test that runs.
# One that a fixture made for many tests is closed after each of them, and opens anew.
_all: WeakSet[Flask] = WeakSet()
_new: list[Flask] = []


class _Compiled(BytecodeCache):
    """Templates that were compiled for one application serve all others of the process."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give the code of the same source, if there is one."""
        code = self._codes.get((bucket.key, bucket.checksum))
        if code:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the code of a template."""
        self._codes[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


_compiled = _Compiled()


def _make(environment: dict[str, str]) -> Flask:
    app = create_app(load_config(environment))
    app.jinja_env.bytecode_cache = _compiled
    return app


def new_app(environment: dict[str, str]) -> Flask:
    """Return the application of an installation; it is closed after the test that asked for it."""
    app = _make(environment)
    _all.add(app)
    _new.append(app)
    return app


@contextmanager
def app_of(environment: dict[str, str]) -> Iterator[Flask]:
    """The application of an installation in its context, closed at the end of the block."""
    app = _make(environment)
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
