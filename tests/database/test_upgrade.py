"""Upgrade of an older installation with many recordings, while others write."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, create_engine, text

from callytics.config import load_config
from callytics.database.engine import db
from callytics.database.transactions import writing
from callytics.search.engine import find
from callytics.search.filters import Filters
from tests.support.command import flask
from tests.support.postgres import Postgres
from tests.support.process import PROJECT
from tests.support.processes import fresh_environment
from tests.support.shelf import Shelf

MANY = 25_000
COLUMNS = "id, uid, call_uid, kind, direction, state, state_reason, caller_number, caller_name,"
COLUMNS += " dialed_number, callee, flow, node, started_at, format, path"
# One a second, each with a name of its own.
FILL = f"""
    WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < {MANY})
    INSERT INTO recordings ({COLUMNS})
    SELECT n, 'old' || n, '', 'transfer', 'inbound', 'available', '', '', 'Caller ' || n,
        '1000', 'PJSIP/ann', 'main', 'desk', TIME, 'wav', 'old' || n || '.wav' FROM n
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def old_env(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, str]]:
    """Create an installation with many recordings, from before searches existed."""
    environment = fresh_environment(tmp_path)
    time_of_n = "datetime(1700000000 + n, 'unixepoch') || '.000000'"
    if request.param == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        environment["DATABASE_URL"] = postgres.new_database()
        time_of_n = "to_timestamp(1700000000 + n)"
    flask(environment, "db", "upgrade", "0020")
    engine = create_engine(load_config(environment).database_url)
    with engine.begin() as connection:
        connection.execute(text(FILL.replace("TIME", time_of_n)))
    engine.dispose()
    yield environment


@pytest.mark.slow
def test_it_says_how_long_it_takes_and_others_write_meanwhile(old_env, tmp_path):
    engine = create_engine(load_config(old_env).database_url)
    with (tmp_path / "said").open("w") as said:
        command = [sys.executable, "-m", "flask", "db", "upgrade", "0021"]
        upgrade = subprocess.Popen(command, cwd=PROJECT, env=old_env, stderr=said)
        gone = 0
        while upgrade.poll() is None:
            with engine.begin() as connection:
                gone += _change_something(connection, gone + 1)
            time.sleep(0.02)
    assert upgrade.returncode == 0, (tmp_path / "said").read_text()
    engine.dispose()
    words = (tmp_path / "said").read_text()
    assert "recordings get a place in time and are made findable: about 1 min." in words
    assert "places in time: all in " in words
    assert "making the index recordings_by_sort" in words
    assert gone > 3, "others wrote while it went on"
    flask(old_env, "db", "upgrade")
    _check_search(old_env, gone)


def _change_something(connection: Connection, number: int) -> int:
    """Delete the recording of that number, as a person may; return the number of rows."""
    uid = {"uid": f"old{number * 100}"}
    return connection.execute(text("DELETE FROM recordings WHERE uid = :uid"), uid).rowcount


def _check_search(environment: dict[str, str], gone: int) -> None:
    with Shelf.of(environment).app.app_context():
        found = find(Filters(search=f"caller {MANY - 1}"))
        assert [row.uid for row in found.rows] == [f"old{MANY - 1}"]
        with writing() as connection:
            assert connection.scalar(text("SELECT count(*) FROM recordings")) == MANY - gone
            if connection.dialect.name == "sqlite":
                # Fails if the index differs from the table.
                check = "INSERT INTO recordings_search(recordings_search, rank) VALUES "
                connection.execute(text(f"{check} ('integrity-check', 1)"))
        db.engine.dispose()


@pytest.mark.slow
def test_one_that_was_broken_off_goes_on(old_env):
    engine = create_engine(load_config(old_env).database_url)
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            left_behind = ["CREATE INDEX recordings_by_flow ON recordings (flow)"]
        else:
            left_behind = [
                "CREATE TABLE recordings_search_filled (upto INTEGER)",
                "CREATE VIRTUAL TABLE recordings_search USING fts5(x)",
            ]
        for statement in left_behind:
            connection.execute(text(statement))
    engine.dispose()
    flask(old_env, "db", "upgrade")
    _check_search(old_env, 0)
