"""Search bounds: a page reads a bounded number of rows, in a library of any size."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
from sqlalchemy import event, insert

from callytics.database.engine import db
from callytics.recordings import ledger
from callytics.recordings.facts import DIRECTIONS, KINDS, Facts
from callytics.recordings.models import Recording
from callytics.recordings.sort_key import first_id_of_second
from callytics.search import access_paths, counting
from callytics.search.engine import find
from callytics.search.filters import Filters
from tests.support.shelf import STARTED_AT, Shelf

MANY = 12_000
# So few that each filter alone matches more than its budget.
SCANNED, FETCHED, INDEXED, COUNTED = 200, 50, 400, 100
# Steps of SQLite's virtual machine, with ample room; a scan of the table takes 150,000.
MOST_STEPS = 30_000
APART = timedelta(seconds=10)
NEWEST = STARTED_AT + MANY * APART
# Many recordings match each of them, few or none match two.
FIELDS: dict[str, Any] = {
    "search": "miller",
    "kind": "queue",
    "direction": "outbound",
    "state": "failed",
    "flow": "night",
    "callee": "PJSIP/ben",
    "since": STARTED_AT + 50 * APART,
    "until": NEWEST - 50 * APART,
    "min_ms": 9_000,
    "max_ms": 1_000,
}
ASKED = [dict(some) for number in (1, 2) for some in combinations(FIELDS.items(), number)]


def recording(number: int) -> dict[str, Any]:
    """Return a row: one in twenty matches each filter, and hardly any match two."""
    has = number % 20
    facts = Facts(
        uid=f"r{number}",
        kind="queue" if has == 1 else KINDS[0],
        direction="outbound" if has == 2 else DIRECTIONS[0],
        state="failed" if has == 3 else "available",
        caller_name="Miller" if has == 4 else "Ann",
        flow="night" if has == 5 else "main",
        callee="PJSIP/ben" if has == 6 else "PJSIP/ann",
        duration_ms={7: 9_500, 8: 500}.get(has, 5_000) + number % 500,
        started_at=STARTED_AT + number * APART,
        format="wav",
    )
    return {"id": first_id_of_second(facts.started_at), **ledger.recording_values(facts)}


@pytest.fixture
def steps_of(app_env, monkeypatch) -> Iterator[Callable[..., int]]:
    """Return the number of steps that a page takes where each filter exceeds its budget."""
    monkeypatch.setattr(access_paths, "SCANNED", SCANNED)
    monkeypatch.setattr(access_paths, "FETCHED", FETCHED)
    monkeypatch.setattr(access_paths, "INDEXED", INDEXED)
    monkeypatch.setattr(counting, "COUNTED", COUNTED)
    taken = [0]

    def step() -> None:
        taken[0] += 1

    def find_steps(filters: Filters, after: str | None, before: str | None) -> int:
        counting._counts.clear()
        taken[0] = 0
        find(filters, after, before)
        return 100 * taken[0]

    shelf = Shelf.of(app_env)
    with shelf.app.app_context():
        with ledger.adding_recordings() as connection:
            connection.execute(insert(Recording), [recording(number) for number in range(MANY)])
        db.engine.dispose()

        @event.listens_for(db.engine, "connect")
        def _on_connect(connection: Any, _record: Any) -> None:
            connection.set_progress_handler(step, 100)

        yield find_steps
        db.engine.dispose()


def test_a_page_takes_no_more_steps_than_are_bounded_wherever_it_is(steps_of):
    places = [first_id_of_second(STARTED_AT + share * MANY // 4 * APART) for share in range(5)]
    for fields in ASKED:
        for sort, ascending in (("time", False), ("time", True), ("duration", False)):
            filters = replace(Filters(**fields), sort=sort, ascending=ascending)
            ends = [f"{ms}-" for ms in (0, 5_000, 10_000)] if sort == "duration" else [""]
            cursors = [f"{end}{place}" for end in ends for place in places]
            for after, before in [(None, None), *((c, None) for c in cursors), (None, cursors[2])]:
                steps = steps_of(filters, after, before)
                assert steps < MOST_STEPS, f"{steps} for {filters} after {after} before {before}"
