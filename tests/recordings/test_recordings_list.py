"""Command `flask recordings list`: the columns that scripts rely on, newest first."""

import json
import tracemalloc
from datetime import timedelta

import pytest
from sqlalchemy import insert

from callytics.cli import recordings
from callytics.cli.printing import json_lines
from callytics.database.transactions import writing
from callytics.recordings.models import Recording
from tests.support.processes import run_flask
from tests.support.shelf import STARTED_AT, Shelf

COLUMNS = [
    *("uid", "kind", "direction", "state", "state_reason", "caller_number", "caller_name"),
    *("dialed_number", "callee", "flow", "node", "started_at", "ended_at", "duration_ms"),
    *("format", "size_bytes", "path"),
]


@pytest.fixture
def shelf(app_env: dict[str, str]) -> Shelf:
    return Shelf.of(app_env)


def listed(shelf: Shelf, *options: str) -> str:
    """Return the output of the command."""
    with shelf.app.app_context():
        done = shelf.app.test_cli_runner().invoke(args=["recordings", "list", *options])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_an_empty_library_is_an_empty_array(shelf: Shelf) -> None:
    assert json.loads(listed(shelf, "--json")) == []
    assert listed(shelf) == ""


def test_the_array_has_the_columns_of_the_row_by_their_names(shelf: Shelf) -> None:
    facts = shelf.add(
        b"sound",
        caller_number="555",
        caller_name='Ann "Ünal" \n <x>',
        dialed_number="1000",
        callee="PJSIP/desk",
        flow="main",
        node="desk",
        ended_at=STARTED_AT + timedelta(seconds=5, milliseconds=250),
        duration_ms=5250,
        size_bytes=84044,
        state_reason="cut short",
    )
    (row,) = json.loads(run_flask(shelf.environment, "recordings", "list", "--json").stdout)
    assert list(row) == COLUMNS
    assert row == {
        "uid": facts.uid,
        "kind": "transfer",
        "direction": "inbound",
        "state": "available",
        "state_reason": "cut short",
        "caller_number": "555",
        "caller_name": 'Ann "Ünal"   <x>',
        "dialed_number": "1000",
        "callee": "PJSIP/desk",
        "flow": "main",
        "node": "desk",
        "started_at": "2026-11-22T09:30:00+00:00",
        "ended_at": "2026-11-22T09:30:05.250000+00:00",
        "duration_ms": 5250,
        "format": "wav",
        "size_bytes": 84044,
        "path": f"2026/11/22/{facts.uid}.wav",
    }


def test_the_newest_come_first_and_fifty_unless_said_otherwise(shelf: Shelf) -> None:
    for minutes in range(60):
        shelf.add(b"", uid=f"r{minutes}", started_at=STARTED_AT + timedelta(minutes=minutes))

    def uids(*options: str) -> list[str]:
        return [row["uid"] for row in json.loads(listed(shelf, "--json", *options))]

    newest_first = [f"r{minutes}" for minutes in reversed(range(60))]
    assert uids() == newest_first[:50]
    assert uids("--limit", "3") == newest_first[:3]
    assert uids("--limit", "0") == newest_first


def test_for_people_it_is_a_line_each_whatever_a_caller_is_called(shelf: Shelf) -> None:
    facts = shelf.add(b"", caller_name="\x1b[31mred\nline", duration_ms=65_000)
    (line,) = listed(shelf).splitlines()
    assert line.split("\t") == [
        *(facts.uid, "2026-11-22 09:30:00Z", "transfer", "01:05", " [31mred line", "-"),
        *("available", "-"),
    ]


@pytest.mark.parametrize("limit", ["-1", "x", "1.5"])
def test_a_limit_that_is_no_number_is_refused(shelf: Shelf, limit: str) -> None:
    done = shelf.app.test_cli_runner().invoke(args=["recordings", "list", "--limit", limit])
    assert done.exit_code != 0
    assert "--limit" in done.output


def test_all_are_never_held_in_memory_at_once(shelf: Shelf) -> None:
    facts = shelf.add(b"")
    rows = [{**facts.to_row(), "uid": f"r{number}"} for number in range(12_000)]
    with shelf.app.app_context():
        with writing() as connection:
            connection.execute(insert(Recording), rows)
        del rows
        counted = 0
        tracemalloc.start()
        for _ in json_lines(recordings.library.newest(0), recordings.COLUMNS):
            counted += 1
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert counted == 12_002
    assert peak < 8 << 20
