"""Lists that nothing has changed since they were made are given again without being made again.

People leave the library open, and each open page asks for news every two seconds. So an answer is
kept for the very same request of the very same session, for as long as nobody has written to the
database. It is looked for before Flask begins, which costs more than all of this.
"""

import sqlite3
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Flask, current_app, request
from sqlalchemy import make_url, text

from callytics.db import db

PATHS = ("/recordings", "/calls", "/live", "/queues")
# What changes by time alone, such as a worker that falls silent, is this late at most.
KEPT_SECONDS = 2.0
# Of some 50 kB each.
MOST_KEPT = 200
# All that an answer depends on, besides the database and the time.
ASKED = ("PATH_INFO", "QUERY_STRING", "HTTP_COOKIE", "HTTP_HX_REQUEST", "HTTP_X_CALLYTICS_POLL")
ASKED += ("HTTP_HX_HISTORY_RESTORE_REQUEST", "HTTP_HX_CURRENT_URL", "wsgi.url_scheme", "HTTP_HOST")

# Where a request finds what state of the database it began with.
VERSION = "callytics.version"
# Answers of `unless_written`, a few for each person.
MOST_READ = 1000

Start = Callable[..., Any]
Result = TypeVar("Result")


@dataclass(frozen=True)
class Kept:
    """An answer, and until when it may be given (monotonic seconds) if the version is the same."""

    version: Any
    until: float
    headers: list[tuple[str, str]]
    # None where whoever asked had it already.
    body: bytes | None
    etag: str


class KeptAnswers:
    """Stands before the application and answers what it has answered already."""

    def __init__(self, app: Flask) -> None:
        self._inner = app.wsgi_app
        self._version = _version_of(app)
        app.extensions[__name__] = OrderedDict()
        self._kept: OrderedDict[tuple[Any, ...], Kept] = OrderedDict()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer one request."""
        if environ["REQUEST_METHOD"] != "GET" or not environ["PATH_INFO"].startswith(PATHS):
            return self._inner(environ, start)
        # Before the page is made: what is written meanwhile makes it old.
        version = environ[VERSION] = self._version()
        if environ["PATH_INFO"] not in PATHS:
            return self._inner(environ, start)
        key = tuple(environ.get(name) for name in ASKED)
        kept = self._kept.get(key)
        if kept and kept.version == version and time.monotonic() < kept.until:
            if kept.etag and environ.get("HTTP_IF_NONE_MATCH") == kept.etag:
                start("304 NOT MODIFIED", [h for h in kept.headers if h[0] != "Content-Length"])
                return [b""]
            if kept.body is not None:
                start("200 OK", kept.headers)
                return [kept.body]
        return self._make(key, version, environ, start)

    def _make(
        self, key: tuple[Any, ...], version: Any, environ: dict[str, Any], start: Start
    ) -> Iterable[bytes]:
        said: list[Any] = []

        def note(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            said[:] = status, headers
            return start(status, headers, *failure)

        answer = self._inner(environ, note)
        status, headers = said
        # A new cookie is for one answer alone.
        if version is None or status[:3] not in ("200", "304") or "Set-Cookie" in dict(headers):
            return answer
        body = b"".join(answer)
        if close := getattr(answer, "close", None):
            close()
        etag = dict(headers).get("ETag", "") if environ.get("HTTP_HX_REQUEST") else ""
        until = time.monotonic() + KEPT_SECONDS
        known = None if status.startswith("304") else body
        if known is None and (before := self._kept.get(key)) and before.etag == etag:
            # The same as it was made for somebody who had it not.
            headers, known = before.headers, before.body
        self._kept[key] = Kept(version, until, headers, known, etag)
        self._kept.move_to_end(key)
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return [body]


def unless_written(read: Callable[..., Result], *args: Any) -> Result:
    """What `read` says; asked again only after somebody has written to the database.

    For what each page of a list needs and what hardly ever changes, and for the recording of which
    a player asks for one part after the other.
    """
    version = request.environ.get(VERSION)
    if version is None:
        return read(*args)
    known: OrderedDict[Any, tuple[Any, Any]] = current_app.extensions[__name__]
    key = (read, args)
    if key not in known or known[key][0] != version:
        known[key] = version, read(*args)
        while len(known) > MOST_READ:
            known.popitem(last=False)
    return known[key][1]  # type: ignore[no-any-return]


def _version_of(app: Flask) -> Callable[[], Any]:
    """Tells one state of the database of `app` from another; None where that is not known."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    if url.get_backend_name() == "sqlite":
        return _SqliteVersion(url.database or "")
    return lambda: _postgresql_version(app)


class _SqliteVersion:
    """SQLite's own counter of what other connections have written; asking it takes 5 µs."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def __call__(self) -> Any:
        try:
            if self._connection is None:
                # Only one thread, that of all greenlets, comes here.
                self._connection = sqlite3.connect(
                    f"file:{self._path}?mode=rw", uri=True, check_same_thread=False
                )
            return self._connection.execute("PRAGMA data_version").fetchone()[0]
        except sqlite3.Error:
            self._connection = None
            return None


def _postgresql_version(app: Flask) -> Any:
    """How much was ever written. Some of it is PostgreSQL's own business, and does no harm."""
    try:
        with app.app_context(), db.engine.connect() as connection:
            return connection.scalar(text("SELECT pg_current_wal_insert_lsn()"))
    except Exception:  # the page itself says what is wrong with the database
        return None
