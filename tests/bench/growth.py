"""Growth of a page's time from ten thousand recordings to a large library.

Within this process and without gunicorn: the time that is the program's own.
"""

import time
from collections.abc import Callable
from functools import partial
from itertools import combinations
from statistics import median
from urllib.parse import urlencode

from flask.testing import FlaskClient
from sqlalchemy import text

from callytics.database.engine import db
from callytics.database.paging import PAGE_SIZE
from tests.bench.filling import ADMIN, somebody_writes
from tests.bench.printing import figure
from tests.support.shelf import Shelf

TIMES = 5
DEEP = 20_000
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

Query = dict[str, str]


def measure(small: Shelf, large: Shelf) -> None:
    """Print each figure; and in ms the slowest page, and the most that any took longer."""
    asking = [partial(_seconds, shelf, shelf.client(ADMIN)) for shelf in (small, large)]
    pairs = [dict(pair) for pair in combinations(EACH.items(), 2) if pair not in NOT_TOGETHER]
    asked: dict[str, list[list[Query]]] = {
        "page_first": [[{}, {}]],
        "page_deep": [[{"after": str(deep_place(shelf))} for shelf in (small, large)]],
        "search": [[{"q": words}] * 2 for words in SEARCHES],
        "filters": [[query] * 2 for query in ([{k: v} for k, v in EACH.items()] + pairs)],
    }
    for name, queries in asked.items():
        _tell(name, [_both(asking, both) for both in queries], [both[1] for both in queries])


def _both(asking: list[Callable[[Query], float]], queries: list[Query]) -> tuple[float, float]:
    small, large = (partial(seconds, q) for seconds, q in zip(asking, queries, strict=True))
    return _median(small), _median(large)


def _tell(name: str, times: list[tuple[float, float]], queries: list[Query]) -> None:
    growths = [large / small for small, large in times]
    worst = growths.index(max(growths))
    figure(f"{name}_growth", growths[worst])
    figure(f"{name}_growth_worst_ms", times[worst][1] * 1000, 1)
    figure(f"{name}_slowest_ms", max(large for _, large in times) * 1000, 1)
    added = [large - small for small, large in times]
    most = added.index(max(added))
    figure(f"{name}_added_ms", added[most] * 1000, 1)
    if len(queries) > 1:
        print(f"  most was added to: {urlencode(queries[most])}", flush=True)


def deep_place(shelf: Shelf) -> int:
    """Return the cursor of page 20,000, or of the last page if there are fewer."""
    with shelf.app.app_context(), db.engine.connect() as connection:
        number = connection.scalar(text("SELECT count(*) FROM recordings"))
        offset = min(DEEP * PAGE_SIZE, number - PAGE_SIZE - 1)
        query = f"SELECT id FROM recordings ORDER BY id DESC LIMIT 1 OFFSET {offset}"
        return connection.scalar(text(query))


def _median(measure: Callable[[], float]) -> float:
    return median(measure() for _ in range(TIMES))


def _seconds(shelf: Shelf, client: FlaskClient, query: Query) -> float:
    somebody_writes(shelf)
    began = time.perf_counter()
    answer = client.get(f"/recordings?{urlencode(query)}")
    taken = time.perf_counter() - began
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return taken
