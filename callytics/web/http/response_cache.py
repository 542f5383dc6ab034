"""Answers that nothing has changed since they were made are given again without being made again.

People leave the library open, and each open page asks for news every two seconds; a player asks
for one part of a recording after the other. So what was answered is kept for the very same request
of the very same session, for as long as nobody has written to the database. It is looked for
before Flask begins, which costs more than all of this.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from flask import Flask, current_app, request
from werkzeug.http import HTTP_STATUS_CODES

from callytics.database.change_token import version_of

PATHS = ("/recordings", "/calls", "/live", "/queues")
# What changes by time alone, such as a worker that falls silent, is this late at most.
KEPT_SECONDS = 2.0
# Pages are some 50 kB each.
MOST_KEPT = 400
# All that an answer depends on, besides the database and the time.
ASKED = ("PATH_INFO", "QUERY_STRING", "HTTP_COOKIE", "HTTP_HX_REQUEST", "HTTP_X_CALLYTICS_POLL")
ASKED += ("HTTP_HX_HISTORY_RESTORE_REQUEST", "HTTP_HX_CURRENT_URL", "wsgi.url_scheme", "HTTP_HOST")

# Where a request finds what state of the database it began with, and leaves what answers the
# next one like it.
VERSION, ALIKE = "callytics.version", "callytics.alike"
OF_CONTENT = {"Content-Type", "Content-Length", "Content-Range", "Content-Disposition"}
OF_CONTENT |= {"Accept-Ranges", "ETag", "Last-Modified", "X-Accel-Redirect"}
_STATUS_LINES = {code: f"{code} {phrase.upper()}" for code, phrase in HTTP_STATUS_CODES.items()}
# Answers of `unless_written`: a few for each person, and what is on a page, of some 40 kB each.
MOST_READ = 500

Start = Callable[..., Any]
Result = TypeVar("Result")


class Answer(NamedTuple):
    """What a request gets."""

    status: int
    headers: list[tuple[str, str]]
    body: Iterable[bytes]


class Alike(Protocol):
    """What answers requests that are the same as one before, without Flask."""

    def again(self, environ: dict[str, Any]) -> Answer | None:
        """The answer; None where it has to be made anew."""


@dataclass(frozen=True)
class Kept:
    """What may answer until then (monotonic seconds), if the version is the same."""

    version: Any
    until: float
    alike: Alike


@dataclass(frozen=True)
class Page:
    """A page as it was made."""

    headers: list[tuple[str, str]]
    # None where whoever asked had it already.
    body: bytes | None
    etag: str

    def again(self, environ: dict[str, Any]) -> Answer | None:
        """The page, or that it is the same."""
        if self.etag and environ.get("HTTP_IF_NONE_MATCH") == self.etag:
            return Answer(304, [h for h in self.headers if h[0] != "Content-Length"], [])
        return None if self.body is None else Answer(200, self.headers, [self.body])


@dataclass(frozen=True)
class Headed:
    """The answers of another, with headers that do not depend on what is asked for."""

    alike: Alike
    headers: list[tuple[str, str]]

    def again(self, environ: dict[str, Any]) -> Answer | None:
        """The other's answer, with the headers."""
        answer = self.alike.again(environ)
        return answer and answer._replace(headers=answer.headers + self.headers)


class KeptAnswers:
    """Stands before the application and answers what it has answered already."""

    def __init__(self, app: Flask) -> None:
        self._inner = app.wsgi_app
        self._version = version_of(app)
        app.extensions[__name__] = OrderedDict()
        self._kept: OrderedDict[tuple[Any, ...], Kept] = OrderedDict()

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        """Answer one request."""
        if environ["REQUEST_METHOD"] != "GET" or not environ["PATH_INFO"].startswith(PATHS):
            return self._inner(environ, start)
        # Before the page is made: what is written meanwhile makes it old.
        version = environ[VERSION] = self._version()
        key = tuple(environ.get(name) for name in ASKED)
        kept = self._kept.get(key)
        holds = kept and kept.version == version and time.monotonic() < kept.until
        if kept and holds and (answer := kept.alike.again(environ)):
            start(_STATUS_LINES[answer.status], answer.headers)
            return answer.body
        return self._make(key, environ, start)

    def _make(self, key: tuple[Any, ...], environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        said: list[Any] = []

        def note(status: str, headers: list[tuple[str, str]], *failure: Any) -> Any:
            said[:] = status, headers
            return start(status, headers, *failure)

        body = self._inner(environ, note)
        status, headers = said
        # A new cookie is for one answer alone.
        if status[:3] in ("200", "206", "304") and "Set-Cookie" not in dict(headers):
            if alike := environ.get(ALIKE):
                rest = [header for header in headers if header[0] not in OF_CONTENT]
                self._keep(key, environ, Headed(alike, rest))
            elif environ["PATH_INFO"] in PATHS:
                body = [_whole(body)]
                self._keep(key, environ, self._page(key, environ, status, headers, body[0]))
        return body

    def _page(
        self,
        key: tuple[Any, ...],
        environ: dict[str, Any],
        status: str,
        headers: list[tuple[str, str]],
        body: bytes,
    ) -> Page:
        etag = dict(headers).get("ETag", "") if environ.get("HTTP_HX_REQUEST") else ""
        page = Page(headers, None if status.startswith("304") else body, etag)
        before = self._kept.get(key)
        if page.body is None and before and isinstance(before.alike, Page):
            # The same as it was made for somebody who had it not?
            return before.alike if before.alike.etag == etag else page
        return page

    def _keep(self, key: tuple[Any, ...], environ: dict[str, Any], alike: Alike) -> None:
        if environ[VERSION] is None:
            return
        kept = Kept(environ[VERSION], time.monotonic() + KEPT_SECONDS, alike)
        keep_newest(self._kept, key, kept, MOST_KEPT)


def answer_with(alike: Alike) -> None:
    """Let `alike` answer the next requests that are the same as this one.

    It gives all headers that are of content; those that every answer has are added.
    """
    request.environ[ALIKE] = alike


def keep_newest(known: OrderedDict[Any, Any], key: Any, value: Any, most: int) -> None:
    """Put `value` in, and let those go that were put in first, so that `most` are left."""
    known[key] = value
    known.move_to_end(key)
    while len(known) > most:
        known.popitem(last=False)


def _whole(body: Iterable[bytes]) -> bytes:
    try:
        return b"".join(body)
    finally:
        if close := getattr(body, "close", None):
            close()


def unless_written(read: Callable[..., Result], *args: Any) -> Result:
    """What `read` says; asked again only after somebody has written to the database.

    For what each page of a list needs and what hardly ever changes, for a page that several people
    look at, and for the recording of which a player asks for one part after the other.
    """
    version = request.environ.get(VERSION)
    if version is None:
        return read(*args)
    known: OrderedDict[Any, tuple[Any, Any]] = current_app.extensions[__name__]
    key = (read, args)
    if key not in known or known[key][0] != version:
        keep_newest(known, key, (version, read(*args)), MOST_READ)
    return known[key][1]  # type: ignore[no-any-return]
