"""Pages of the library a second, beside those of an empty view under the same gunicorn."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import requests

from callytics.search.engine import find
from callytics.search.filters import Filters
from tests.bench.filling import ADDED_FROM, ADMIN
from tests.bench.load import Load, in_turn
from tests.bench.printing import figure
from tests.support.asterisk import free_port
from tests.support.processes import Web
from tests.support.shelf import Shelf, signed_in, without_keeping

# More than are kept by far: each time one is asked for again, its answer is forgotten.
DIFFERENT = 5000
PEOPLE = 4
# A busy telephone system: 3,600 recordings an hour.
EVERY_SECONDS = 1.0


class EmptyView(Web):
    """The same gunicorn with an empty view; its own port."""

    name = "empty"
    command = (*Web.command[:-1], "tests.bench.empty:app")


def measure(shelf: Shelf, folder: Path, seconds: float) -> None:
    """Print the ratios, and beside them what they are of."""
    beside = {**shelf.environment, "PORT": str(free_port())}
    load = Load(folder, seconds)
    with Web(shelf.environment, folder) as web, EmptyView(beside, folder) as empty:
        people = [without_keeping(signed_in(web.url, ADMIN)) for _ in range(PEOPLE)]
        known = {"HX-Request": "true", "X-Callytics-Poll": "1"}
        known["If-None-Match"] = _get(web, people[0], **known).headers["ETag"]
        assert _get(web, people[0], **known).status_code == 304
        newest, oldest = _ends(shelf)
        chance = random.Random(1)
        # Looked for anew each time; with rows that were shown before, and with any rows.
        anew = [f"/recordings?after={newest + n}" for n in range(1, DIFFERENT)]
        anywhere = [f"/recordings?after={chance.randrange(oldest, newest)}" for _ in anew]

        def rate(paths: list[str], *who: requests.Session, **headers: str) -> float:
            for person in who:  # as a browser does, they keep the cookie that comes each minute
                _get(web, person)
            return load.of(web.url, paths, who, **headers)

        def rate_on_a_busy_day() -> float:
            with _recorded_meanwhile(shelf):
                return rate(["/recordings"], *people)

        rates = in_turn(
            {
                "empty_view": lambda: load.of(empty.url, ["/"]),
                "page": rate_on_a_busy_day,
                "page_anew": lambda: rate(anew, people[0]),
                "page_anywhere": lambda: rate(anywhere, people[0]),
                "unchanged_page": lambda: rate(["/recordings"], people[0], **known),
            }
        )
    for name, measured in rates.items():
        figure(f"{name}_per_second", measured, 0)
    for name in ("page", "page_anew", "page_anywhere", "unchanged_page"):
        figure(f"{name}_vs_empty_view", rates[name] / rates["empty_view"])


def _get(web: Web, person: requests.Session, **headers: str) -> requests.Response:
    return person.get(f"{web.url}/recordings", headers=headers, timeout=60)


@contextmanager
def _recorded_meanwhile(shelf: Shelf) -> Iterator[None]:
    """A new recording each second, at the top of the first page."""
    over = threading.Event()

    def record() -> None:
        number = 0
        while not over.wait(EVERY_SECONDS):
            number += 1
            shelf.add(None, started_at=ADDED_FROM + timedelta(seconds=number))

    recording = threading.Thread(target=record)
    recording.start()
    try:
        yield
    finally:
        over.set()
        recording.join()


def _ends(shelf: Shelf) -> tuple[int, int]:
    """The places of the newest and of the oldest recording."""
    with shelf.app.app_context():
        newest, oldest = (find(Filters(ascending=up)).rows[0].id for up in (False, True))
        return newest, oldest
