"""Comparison with the list pages of other products, on the same rows: times as fast.

Everybody is asked over HTTP by one who waits for each page, as a browser does.
"""

import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

import requests
from sqlalchemy import text

from callytics.database.engine import db
from callytics.database.paging import PAGE_SIZE
from tests.bench.filling import ADMIN, somebody_writes
from tests.bench.growth import DEEP, deep_place
from tests.bench.printing import figure
from tests.support.ports import free_port
from tests.support.process import PROJECT
from tests.support.processes import Program, Web
from tests.support.shelf import Shelf, signed_in, without_keeping

# Whoever takes longer than this counts as taking this long.
PATIENCE_SECONDS = 60.0
# Many hits, few and none.
SEARCHES = {"many": "miller", "few": "karl899", "none": "zzzzz"}
LONG_MS = 1_800_000
COLUMNS = (
    *("started_at", "caller_number", "caller_name", "dialed_number", "callee"),
    *("kind", "direction", "state", "flow", "duration_ms"),
)


@dataclass(frozen=True)
class Deep:
    """The same place for all: how many pages are before it, and what stands there."""

    page: int
    place: int


class Peer(Program):
    """One of them as a server; `paths` says what it calls the pages that all are asked for."""

    python = str(PROJECT / ".venv/peers/bin/python")
    ready = "/"

    @property
    def url(self) -> str:
        """Return the address, without a slash at its end."""
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def is_ready(self) -> bool:
        """Return True if it answers."""
        try:
            return requests.get(self.url + self.ready, timeout=10).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def paths(self, deep: Deep) -> dict[str, str]:
        """Path and query of each page."""
        raise NotImplementedError

    def person(self) -> requests.Session:
        """Somebody who may see the list."""
        return without_keeping(requests.Session())


class _UnderGunicorn(Peer):
    """With the same worker as ours, and more patience than any of its queries needs."""

    app = ""

    @property
    def command(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the command that starts it."""
        address = f"127.0.0.1:{self.environment['PORT']}"
        server = ("gunicorn", "-k", "gevent", "-w", "1", "-b", address, "-t", "300")
        return (*server, "--no-control-socket", "--access-logfile", "-", self.app)


class DjangoAdmin(_UnderGunicorn):
    """A ModelAdmin."""

    name, ready = "django_admin", "/admin/login/"
    app = "tests.bench.peers.django_admin:app"

    def paths(self, deep: Deep) -> dict[str, str]:
        """Path and query of each page."""
        asked = {
            "first_page": {},
            "deep_page": {"p": deep.page + 1},
            **{f"search {name}": {"q": words} for name, words in SEARCHES.items()},
            "duration sorted": {"o": f"-{COLUMNS.index('duration_ms') + 1}"},
            "duration filtered": {"duration_ms__gte": LONG_MS},
        }
        return {name: f"/admin/library/recording/?{urlencode(q)}" for name, q in asked.items()}

    def person(self) -> requests.Session:
        """Signed in by its form."""
        session = super().person()
        page = session.get(self.url + self.ready, timeout=60).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token, "Django's form has a token"
        form = {"username": "ada", "password": "benchmark", "csrfmiddlewaretoken": token[1]}
        form["next"] = "/admin/library/"
        assert session.post(self.url + self.ready, data=form, timeout=60).ok
        return session


class FlaskAdmin(_UnderGunicorn):
    """A ModelView."""

    name, ready = "flask_admin", "/admin/"
    app = "tests.bench.peers.flask_admin:app"

    def paths(self, deep: Deep) -> dict[str, str]:
        """Path and query of each page."""
        asked = {
            "first_page": {},
            "deep_page": {"page": deep.page},
            **{f"search {name}": {"search": words} for name, words in SEARCHES.items()},
            "duration sorted": {"sort": COLUMNS.index("duration_ms"), "desc": 1},
            "duration filtered": {"flt0_duration_ms_greater_than": LONG_MS - 1},
        }
        return {name: f"/admin/list/?{urlencode(q)}" for name, q in asked.items()}


class Datasette(Peer):
    """Its table page. It reads SQLite alone, and would break off any query after a second."""

    name, ready = "datasette", "/-/versions.json"

    @property
    def command(self) -> tuple[str, ...]:  # type: ignore[override]
        """Return the command that starts it."""
        path = self.environment["DATABASE_URL"].removeprefix("sqlite:///")
        limit = str(round(PATIENCE_SECONDS * 1000))
        settings = ("--setting", "sql_time_limit_ms", limit, "--setting", "suggest_facets", "off")
        return ("datasette", "serve", path, "-p", self.environment["PORT"], *settings)

    def paths(self, deep: Deep) -> dict[str, str]:
        """Path and query of each page."""
        newest = {"_sort_desc": "id"}
        asked = {
            "first_page": newest,
            "deep_page": {**newest, "_next": f"{deep.place},{deep.place}"},
            **{
                f"search {name}": {**newest, "search_text__contains": words}
                for name, words in SEARCHES.items()
            },
            "duration sorted": {"_sort_desc": "duration_ms"},
            "duration filtered": {**newest, "duration_ms__gte": LONG_MS},
        }
        same = [("_size", str(PAGE_SIZE)), *(("_col", name) for name in COLUMNS)]
        return {
            name: f"/callytics/recordings?{urlencode([*q.items(), *same])}"
            for name, q in asked.items()
        }


def measure(shelf: Shelf, folder: Path) -> None:
    """Print how many times faster each page is than that of each peer; of several, the least."""
    on_sqlite = shelf.environment["DATABASE_URL"].startswith("sqlite")
    deep = _deep(shelf)
    with Web(shelf.environment, folder) as web, signed_in(web.url, ADMIN) as ada:
        without_keeping(ada)
        ours = {
            name: _seconds(shelf, ada, web.url + path) for name, path in _our_paths(deep).items()
        }
    for name, seconds in ours.items():
        print(f"  {name}: {seconds * 1000:.1f} ms", flush=True)
    for kind in (DjangoAdmin, FlaskAdmin, Datasette):
        if kind is Datasette and not on_sqlite:
            print("  datasette reads no PostgreSQL")
            continue
        _beside(kind, shelf, folder, deep, ours)


def _deep(shelf: Shelf) -> Deep:
    with shelf.app.app_context(), db.engine.connect() as connection:
        number = connection.scalar(text("SELECT count(*) FROM recordings"))
    return Deep(max(0, min(DEEP, number // PAGE_SIZE) - 1), deep_place(shelf))


def _our_paths(deep: Deep) -> dict[str, str]:
    asked = {
        "first_page": {},
        "deep_page": {"after": deep.place},
        **{f"search {name}": {"q": words} for name, words in SEARCHES.items()},
        "duration sorted": {"sort": "longest"},
        "duration filtered": {"min_seconds": LONG_MS // 1000},
    }
    return {name: f"/recordings?{urlencode(q)}" for name, q in asked.items()}


def _beside(
    kind: type[Peer], shelf: Shelf, folder: Path, deep: Deep, ours: dict[str, float]
) -> None:
    environment = {
        **{k: v for k, v in shelf.environment.items() if not k.startswith("WEB_")},
        "PEER_FOLDER": str(folder),
        "PEER_PATIENCE_MS": str(round(PATIENCE_SECONDS * 1000)),
    }
    peer = kind(environment, folder)
    ratios: dict[str, float] = {}
    for name, path in peer.paths(deep).items():
        # One that was given up on is still at work; the next page is asked of a fresh one.
        with _running(peer), peer.person() as person:
            seconds = _seconds(shelf, person, peer.url + path)
        late = seconds >= PATIENCE_SECONDS
        print(
            f"  {name} of {kind.name}: {'more than ' if late else ''}{seconds * 1000:.0f} ms",
            flush=True,
        )
        figure_name = name.partition(" ")[0]
        ratio = seconds / ours[name]
        ratios[figure_name] = min(ratio, ratios.get(figure_name, ratio))
    for name, ratio in ratios.items():
        figure(f"{name}_vs_{kind.name}", ratio, 1)


@contextmanager
def _running(peer: Peer) -> Iterator[None]:
    # Not the port of one that may still be about to end.
    peer.environment["PORT"] = str(free_port())
    peer.start()
    assert peer.process
    pid = peer.process.pid
    try:
        yield
    finally:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        peer.kill()
        # What a worker of gunicorn is at, it would else finish first.
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)


def _seconds(shelf: Shelf, person: requests.Session, url: str) -> float:
    """Return the median time of a page in seconds, of fewer requests the longer one takes."""
    taken = [_once(shelf, person, url)]
    wanted = 9 if taken[0] < 0.3 else 3 if taken[0] < 3 else 1
    # What the first one had to read from the disk is in memory for the others.
    if wanted == 1:
        return taken[0]
    return median([_once(shelf, person, url) for _ in range(wanted)])


def _once(shelf: Shelf, person: requests.Session, url: str) -> float:
    somebody_writes(shelf)
    began = time.perf_counter()
    try:
        answer = person.get(url, timeout=PATIENCE_SECONDS)
    except requests.Timeout:
        return PATIENCE_SECONDS
    taken = time.perf_counter() - began
    if not answer.ok and taken > PATIENCE_SECONDS * 0.9:
        return PATIENCE_SECONDS
    assert answer.ok, f"{url}: {answer.status_code}\n{answer.text[:2000]}"
    return min(taken, PATIENCE_SECONDS)
