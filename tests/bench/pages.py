"""Pages of the library a second, beside those of an empty view under the same gunicorn."""

import random
from pathlib import Path

from callytics.filters import Filters
from callytics.finding import find
from tests.asterisk import free_port
from tests.bench.filling import ADMIN
from tests.bench.load import Load, in_turn
from tests.bench.printing import figure
from tests.processes import Web
from tests.shelf import Shelf, signed_in

# More than are kept by far: each time one is asked for again, its answer is forgotten.
DIFFERENT = 5000


class EmptyView(Web):
    """The same gunicorn with an empty view; its own port."""

    name = "empty"
    command = (*Web.command[:-1], "tests.bench.empty:app")


def measure(shelf: Shelf, folder: Path, seconds: float) -> None:
    """Print the ratios, and beside them what they are of."""
    beside = {**shelf.environment, "PORT": str(free_port())}
    load = Load(folder, seconds)
    with Web(shelf.environment, folder) as web, EmptyView(beside, folder) as empty:
        ada = signed_in(web.url, ADMIN)
        poll = {"HX-Request": "true", "X-Callytics-Poll": "1"}
        etag = ada.get(f"{web.url}/recordings", headers=poll, timeout=60).headers["ETag"]
        known = {**poll, "If-None-Match": etag}
        assert ada.get(f"{web.url}/recordings", headers=known, timeout=60).status_code == 304
        anew = [f"/recordings?anew={number}" for number in range(DIFFERENT)]
        anywhere = [f"/recordings?after={place}" for place in _places(shelf)]

        def rate(paths: list[str], **headers: str) -> float:
            # As a browser does, it keeps the cookie that a page brings each minute.
            ada.get(f"{web.url}/recordings", headers={"Connection": "close"}, timeout=60)
            return load.of(web.url, paths, ada, **headers)

        rate(["/recordings"])
        rates = in_turn(
            {
                "empty_view": lambda: load.of(empty.url, ["/"]),
                # Made for each request, by the code that also serves who comes first.
                "page": lambda: rate(anew),
                "page_kept": lambda: rate(["/recordings"]),
                "page_anywhere": lambda: rate(anywhere),
                "unchanged_page": lambda: rate(["/recordings"], **known),
            }
        )
    empty_rate = rates["empty_view"]
    for name, rate in rates.items():
        figure(f"{name}_per_second", rate, 0)
    for name in ("page", "unchanged_page", "page_kept", "page_anywhere"):
        figure(f"{name}_vs_empty_view", rates[name] / empty_rate)


def _places(shelf: Shelf) -> list[int]:
    """Places all over the library, whose rows nobody has seen for a while."""
    chance = random.Random(1)
    with shelf.app.app_context():
        newest, oldest = (find(Filters(ascending=up)).rows[0].id for up in (False, True))
    return [chance.randrange(oldest, newest) for _ in range(DIFFERENT)]
