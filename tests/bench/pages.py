"""Pages of the library a second, beside those of an empty view under the same gunicorn."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy import delete

from callytics.clock import utc_now
from callytics.database.transactions import writing
from callytics.pbx.models import Pbx
from callytics.search.engine import find
from callytics.search.filters import Filters
from tests.bench.filling import ADMIN
from tests.bench.load import Load, in_turn
from tests.bench.printing import figure
from tests.support.pbxs import record_heartbeat
from tests.support.ports import free_port
from tests.support.processes import Web
from tests.support.shelf import Shelf, signed_in, without_keeping
from worker.persistence.heartbeat import BEAT_SECONDS

# More than any cache holds: each is forgotten before it is asked for again.
DIFFERENT = 5000
# Open pages that ask for news in turn. A page asks two seconds after its last answer, so there are
# more of them than a process answers in two seconds.
OPEN_PAGES = 10_000
ASKS_AFTER_SECONDS = 2.0
# Name of the worker that reports meanwhile.
REPORTING = "bench"


class EmptyView(Web):
    """The same gunicorn with an empty view; its own port."""

    name = "empty"
    command = (*Web.command[:-1], "tests.bench.empty:app")


def measure(shelf: Shelf, folder: Path, seconds: float) -> None:
    """Print the rates, and their ratios to the rate of an empty view."""
    beside = {**shelf.environment, "PORT": str(free_port())}
    load = Load(folder, seconds)
    with (
        Web(shelf.environment, folder) as web,
        EmptyView(beside, folder) as empty,
        _worker_reports(shelf),
    ):
        ada = without_keeping(signed_in(web.url, ADMIN))
        known = {"HX-Request": "true", "X-Callytics-Poll": "1"}
        known["If-None-Match"] = _get(web, ada, **known).headers["ETag"]
        assert _get(web, ada, **known).status_code == 304
        open_pages = sessions_like(shelf, ada)
        newest, oldest = _ends(shelf)
        chance = random.Random(1)
        # Searched anew each time; with rows that were shown before, and with any rows.
        anew = [f"/recordings?after={newest + n}" for n in range(1, DIFFERENT)]
        anywhere = [f"/recordings?after={chance.randrange(oldest, newest)}" for _ in anew]

        def rate(paths: list[str]) -> float:
            _get(web, ada)  # as a browser does, which keeps the cookie that comes each minute
            return load.of(web.url, paths, [ada])

        rates = in_turn(
            {
                "empty_view": lambda: load.of(empty.url, ["/"]),
                "page_anew": lambda: rate(anew),
                "page_anywhere": lambda: rate(anywhere),
                "poll_304": lambda: load.of(web.url, ["/recordings"], open_pages, **known),
            }
        )
    assert rates["poll_304"] * ASKS_AFTER_SECONDS < OPEN_PAGES, "no open page asks as often"
    for name, measured in rates.items():
        figure(f"{name}_per_second", measured, 0)
    for name in ("page_anew", "page_anywhere", "poll_304"):
        figure(f"{name}_vs_empty_view", rates[name] / rates["empty_view"])


def sessions_like(shelf: Shelf, person: requests.Session) -> list[requests.Session]:
    """As many sessions of a person as there are open pages; each its own cookie and token."""
    serializer = SecureCookieSessionInterface().get_signing_serializer(shelf.app)
    assert serializer
    name = shelf.app.config["SESSION_COOKIE_NAME"]
    content = serializer.loads(person.cookies[name])
    sessions = []
    for number in range(OPEN_PAGES):
        session = requests.Session()
        session.headers = person.headers
        session.cookies.set(name, str(serializer.dumps({**content, "csrf_token": str(number)})))
        sessions.append(session)
    return sessions


def _get(web: Web, person: requests.Session, **headers: str) -> requests.Response:
    return person.get(f"{web.url}/recordings", headers=headers, timeout=60)


@contextmanager
def _worker_reports(shelf: Shelf) -> Iterator[None]:
    """A worker reports as often as it does, which is a write that changes no page."""
    over = threading.Event()

    def report() -> None:
        while not over.wait(BEAT_SECONDS):
            _report(shelf)

    _report(shelf)
    reporting = threading.Thread(target=report)
    reporting.start()
    try:
        yield
    finally:
        over.set()
        reporting.join()
        with shelf.app.app_context(), writing() as connection:
            connection.execute(delete(Pbx).where(Pbx.name == REPORTING))


def _report(shelf: Shelf) -> None:
    with shelf.app.app_context():
        record_heartbeat(REPORTING, utc_now(), utc_now(), "")


def _ends(shelf: Shelf) -> tuple[int, int]:
    """The places of the newest and of the oldest recording."""
    with shelf.app.app_context():
        newest, oldest = (find(Filters(ascending=up)).rows[0].id for up in (False, True))
        return newest, oldest
