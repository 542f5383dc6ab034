"""List of calls: its pages compared with a plain scan, and `flask calls list`."""

import json
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import delete, event, insert

from callytics.calls import library
from callytics.calls.library import IN_PROGRESS
from callytics.calls.models import Call
from callytics.database.engine import db
from callytics.database.paging import PAGE_SIZE
from callytics.database.transactions import writing
from callytics.recordings.models import Recording
from tests.support.command import flask
from tests.support.processes import run_flask
from tests.support.shelf import STARTED_AT, Shelf

DISPOSITIONS = ("answered", "no_answer", "busy", "failed", "abandoned")
STATES = ("available", "failed", "missing")


@pytest.fixture
def shelf(app_env: dict[str, str]) -> Shelf:
    return Shelf.of(app_env)


calls = st.lists(
    st.tuples(
        st.integers(0, 5),  # start in seconds: many are equal
        st.sampled_from(DISPOSITIONS),
        st.booleans(),  # has ended
        st.sampled_from(["", "", "no room"]),
        st.lists(st.sampled_from(STATES), max_size=2),
    ),
    max_size=12,
)


def fill(rows) -> list[dict]:
    """Replace all calls and recordings by these; return the calls newest first."""
    kept = []
    for number, (second, disposition, ended, problem, states) in enumerate(rows):
        began = STARTED_AT + timedelta(seconds=second)
        values = {"id": number + 1, "uid": f"c{number}", "direction": "inbound"}
        values |= {"started_at": began, "ended_at": began if ended else None}
        kept.append({**values, "disposition": disposition, "problem": problem, "states": states})
    recordings = [
        {
            **{"uid": f"{call['uid']}-{n}", "call_uid": call["uid"], "state": state},
            **{"kind": "queue", "direction": "inbound", "format": "wav", "path": ""},
            "started_at": call["started_at"],
        }
        for call in kept
        for n, state in enumerate(call["states"])
    ]
    with writing() as connection:
        connection.execute(delete(Call))
        connection.execute(delete(Recording))
        for table, values in ((Call, kept), (Recording, recordings)):
            columns = [{k: v for k, v in row.items() if k != "states"} for row in values]
            if columns:
                connection.execute(insert(table), columns)
    return sorted(kept, key=lambda call: (call["started_at"], call["id"]), reverse=True)


def is_wanted(call: dict, result: str | None, with_problem: bool) -> bool:
    """Return True if a plain scan with this filter finds the call."""
    shown = call["disposition"] if call["ended_at"] else IN_PROGRESS
    lost = call["problem"] or "failed" in call["states"] or "missing" in call["states"]
    return result in (None, shown) and bool(lost or not with_problem)


def walk(listing) -> tuple[list[list[str]], list[list[str]]]:
    """Return the uids of all pages, to the oldest one and back."""
    page, forth, back = listing.newest_page(), [], []
    forth.append([row.uid for row in page.rows])
    while page.older:
        page = listing.page_after(page.older)
        forth.append([row.uid for row in page.rows])
    while page.newer:
        page = listing.page_before(page.newer)
        back.append([row.uid for row in page.rows])
    return forth, back


@given(
    rows=calls,
    times=st.sampled_from([1, 6, 20]),  # enough for several pages
    result=st.sampled_from([None, IN_PROGRESS, *DISPOSITIONS]),
    with_problem=st.booleans(),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_filters_and_cursors_give_what_a_plain_scan_gives(shelf, rows, times, result, with_problem):
    with shelf.app.app_context():
        kept = fill(rows * times)
        wanted = [c["uid"] for c in kept if is_wanted(c, result, with_problem)]
        pages = [wanted[at : at + PAGE_SIZE] for at in range(0, len(wanted), PAGE_SIZE)] or [[]]
        forth, back = walk(library.calls(result, with_problem))
    assert forth == pages
    assert back == pages[-2::-1]


@pytest.mark.parametrize("count", [PAGE_SIZE, PAGE_SIZE + 1])
def test_a_list_that_fills_its_page_has_no_further_one(shelf, count):
    for number in range(count):
        shelf.add_call(f"c{number}")
    with shelf.app.app_context():
        page = library.calls().newest_page()
    assert len(page.rows) == PAGE_SIZE
    assert (page.older is None) == (count == PAGE_SIZE)


@pytest.mark.parametrize(
    ("result", "with_problem", "index"),
    [
        (None, False, "calls_by_time"),
        ("busy", False, "calls_by_disposition"),
        (IN_PROGRESS, False, "calls_in_progress"),
        (None, True, "calls_with_problem"),
        ("busy", True, "calls USING INTEGER PRIMARY KEY"),
        (IN_PROGRESS, True, "calls USING INTEGER PRIMARY KEY"),
    ],
)
@pytest.mark.parametrize("way", ["newest_page", "page_after", "page_before"])
def test_no_filter_reads_all_calls(shelf, result, with_problem, index, way):
    """Each filter uses an index in which nearly all entries match."""
    asked = []

    def take_note(_connection, _cursor, statement, values, *_rest) -> None:
        asked.append((statement, values))

    with shelf.app.app_context():
        event.listen(db.engine, "before_cursor_execute", take_note)
        place = () if way == "newest_page" else ("1795339800000000-5",)
        getattr(library.calls(result, with_problem), way)(*place)
        # `page_before` then also reads the first page, which is not tested here.
        statement, values = next(query for query in asked if query[0].startswith("SELECT"))
        with db.engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
    steps = [row[3] for row in plan]
    assert any(index in step for step in steps), steps
    assert not any(step == "SCAN calls" for step in steps), steps
    assert with_problem or not any("TEMP B-TREE" in step for step in steps), steps


def test_an_installation_without_calls_lists_none(app_env):
    assert json.loads(flask(app_env, "calls", "list", "--json").stdout) == []
    assert flask(app_env, "calls", "list").stdout == ""


def test_calls_are_listed_for_scripts_and_for_people(shelf):
    path = [{"node": "desk", "type": "transfer", "result": "answered"}]
    times = {"answered_at": STARTED_AT + timedelta(seconds=7)}
    names = {"caller_name": "Ann", "callee": "PJSIP/desk", "flow": "main", "path": path}
    shelf.add_call("c1", hangup_cause=16, problem="no\nroom", **times, **names)
    later = STARTED_AT + timedelta(hours=1)
    shelf.add_call("c2", started_at=later, ended_at=None, disposition=None)
    newest, oldest = json.loads(run_flask(shelf.environment, "calls", "list", "--json").stdout)
    assert newest["uid"] == "c2"
    assert oldest == {
        "uid": "c1",
        "direction": "inbound",
        "disposition": "answered",
        "hangup_cause": 16,
        "caller_number": "5551234",
        "caller_name": "Ann",
        "dialed_number": "1000",
        "callee": "PJSIP/desk",
        "flow": "main",
        "path": path,
        "started_at": "2026-11-22T09:30:00+00:00",
        "answered_at": "2026-11-22T09:30:07+00:00",
        "ended_at": "2026-11-22T09:31:00+00:00",
        "problem": "no room",
    }
    lines = flask(shelf.environment, "calls", "list").stdout.splitlines()
    assert [line.split("\t") for line in lines] == [
        [
            *("c2", "2026-11-22 10:30:00Z", "inbound", "5551234", "1000", "-", "-", "-"),
            *("in_progress", "-"),
        ],
        [
            *("c1", "2026-11-22 09:30:00Z", "inbound", "5551234", "1000", "PJSIP/desk"),
            *("00:07", "00:53", "answered", "no room"),
        ],
    ]
    (line,) = flask(shelf.environment, "calls", "list", "--limit", "1").stdout.splitlines()
    assert line.startswith("c2\t")
