"""Flask applications of the test process; each is closed at the end of its test."""

from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakSet

from flask import Flask
from jinja2.bccache import Bucket, BytecodeCache

from callytics import close_app, create_app
from callytics.config import load_config

# Every application; `_new` keeps those of the running test from being collected before they are
# closed. One that a fixture made for many tests is closed after each test, and reopens when used.
_all: WeakSet[Flask] = WeakSet()
_new: list[Flask] = []


class _Compiled(BytecodeCache):
    """Bytecode cache of templates, shared by all applications of the process."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load the bytecode of the same source, if there is any."""
        code = self._codes.get((bucket.key, bucket.checksum))
        if code:
            bucket.bytecode_from_string(code)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep the bytecode of a template."""
        self._codes[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


_compiled = _Compiled()


def _make(environment: dict[str, str]) -> Flask:
    app = create_app(load_config(environment))
    app.jinja_env.bytecode_cache = _compiled
    return app


def new_app(environment: dict[str, str]) -> Flask:
    """Return the application of an installation; it is closed at the end of the test."""
    app = _make(environment)
    _all.add(app)
    _new.append(app)
    return app


@contextmanager
def app_of(environment: dict[str, str]) -> Iterator[Flask]:
    """Yield the application of an installation in an app context; close it afterwards."""
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
