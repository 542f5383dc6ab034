"""New recordings a second while people search: each with all that the worker writes of it."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, cycle
from pathlib import Path
from time import monotonic

from tests.bench.filling import ADMIN
from tests.bench.printing import figure
from tests.support.process import PROJECT
from tests.support.processes import Web
from tests.support.shelf import Shelf, signed_in, without_keeping

SEARCHING = 2
ASKED = ("q=karl", "q=kramov+petersen", "kind=voicemail&q=anna", "min_seconds=1800", "q=zzzzz")
ASKED += ("flow=flow17&state=failed", "sort=longest&q=miller", "callee=PJSIP%2Fanna1", "q=a")


def measure(shelf: Shelf, folder: Path, seconds: float) -> None:
    """Print how many are written while they search, and how many searches are answered."""
    with Web(shelf.environment, folder) as web, _people_search(web) as answered:
        began, before = monotonic(), len(answered)
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.writing", str(seconds)],
            cwd=PROJECT,
            env=shelf.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        searches = (len(answered) - before) / (monotonic() - began)
    figure("insert_rate_while_searching", float(done.stdout), 0)
    figure("searches_per_second_while_inserting", searches, 0)


@contextmanager
def _people_search(web: Web) -> Iterator[list[str]]:
    """Some who search all the time; yields what was answered so far."""
    over, answered = threading.Event(), []
    numbers = count()

    def search() -> None:
        with without_keeping(signed_in(web.url, ADMIN)) as ada:
            for query in cycle(ASKED):
                if over.is_set():
                    return
                url = f"{web.url}/recordings?{query}&anew={next(numbers)}"
                answer = ada.get(url, timeout=60)
                answered.append(query if answer.ok else f"{query}: {answer.status_code}")

    people = [threading.Thread(target=search) for _ in range(SEARCHING)]
    for person in people:
        person.start()
    try:
        yield answered
    finally:
        over.set()
        for person in people:
            person.join()
    assert set(answered) <= set(ASKED), set(answered) - set(ASKED)
