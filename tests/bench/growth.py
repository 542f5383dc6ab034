"""How much longer a page takes in a large library than in one of ten thousand recordings."""

import time
from collections.abc import Callable
from itertools import combinations
from statistics import median
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient

from callytics.filters import Filters
from callytics.finding import find
from tests.bench.filling import ADMIN
from tests.shelf import Shelf

TIMES = 5
# Many, few and no hits; common letters that never stand together; one and two letters.
SEARCHES = ("anna", "miller", "+4930", "1000", "00", "a", "an", "299", "karl899", "zzzzz")
SEARCHES += ("491234567890", "anna miller", "john899", "kramov petersen")
EACH = {
    "kind": "voicemail",
    "direction": "outbound",
    "state": "failed",
    "flow": "flow17",
    "callee": "PJSIP/anna1",
    "q": "karl",
    "from": "2026-11-01",
    "min_seconds": "1800",
    "max_seconds": "3",
    "sort": "longest",
}
NOT_TOGETHER = [(("min_seconds", "1800"), ("max_seconds", "3"))]


def measure(small: Shelf, large: Shelf) -> dict[str, float]:
    """Each figure, and the ms that the slowest of it takes in the large library."""
    clients = [(shelf, shelf.client(ADMIN)) for shelf in (small, large)]
    filters = [dict(pair) for pair in combinations(EACH.items(), 2) if pair not in NOT_TOGETHER]
    filters += [{name: value} for name, value in EACH.items()]
    tried = {
        "page_first": [lambda s, c: c.get("/recordings")],
        "page_deep": [_deep],
        "search": [_asks({"q": text}) for text in SEARCHES],
        "filters": [_asks(query) for query in filters],
    }
    figures: dict[str, float] = {}
    for name, requests in tried.items():
        times = [[_median(request, *pair) for pair in clients] for request in requests]
        slowest = max(times, key=lambda both: both[1] / both[0])
        figures[f"{name}_growth"] = slowest[1] / slowest[0]
        figures[f"{name}_slowest_ms"] = max(both[1] for both in times) * 1000
    return figures


def _asks(query: dict[str, str]) -> Callable[[Shelf, FlaskClient], Any]:
    return lambda _shelf, client: client.get(f"/recordings?{urlencode(query)}")


def _deep(shelf: Shelf, client: FlaskClient) -> Any:
    """The page that half of all recordings are newer than."""
    with shelf.app.app_context():
        newest, oldest = (find(Filters(ascending=up)).rows[0].id for up in (False, True))
    return client.get(f"/recordings?after={(newest + oldest) // 2}")


def _median(
    request: Callable[[Shelf, FlaskClient], Any], shelf: Shelf, client: FlaskClient
) -> float:
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter()
        answer = request(shelf, client)
        taken.append(time.perf_counter() - began)
        assert answer.status_code == 200, answer.get_data(as_text=True)
    return median(taken)
