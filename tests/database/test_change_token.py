"""Change token: a page may be kept for as long as the token of its database stays the same."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from callytics.database.change_token import SqliteToken
from tests.support.command import flask
from tests.support.pages import HTMX
from tests.support.postgres import Postgres
from tests.support.processes import fresh_environment
from tests.support.shelf import STARTED_AT, Shelf

# The longest that PostgreSQL allows, in microseconds, and also where nobody else commits. A commit
# is only delayed by a server that waits for its disk.
DELAYED = "-c fsync=on -c commit_delay=100000 -c commit_siblings=0"
MOST_ATTEMPTS = 20


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that writes to a new SQLite database."""
    with closing(sqlite3.connect(tmp_path / "new.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE numbers (number INTEGER)")
        yield connection


def test_the_token_is_the_same_until_somebody_commits(counter, tmp_path: Path) -> None:
    token = SqliteToken(str(tmp_path / "new.db"))
    first = token()
    assert first is not None
    counter.execute("BEGIN IMMEDIATE")
    counter.execute("INSERT INTO numbers VALUES (1)")
    assert token() == first, "not committed yet"
    counter.execute("COMMIT")
    assert token() != first
    token.close()


def test_a_new_connection_does_not_repeat_the_token_of_an_earlier_one(
    counter, tmp_path: Path
) -> None:
    """SQLite counts from the same number on each connection."""
    token = SqliteToken(str(tmp_path / "new.db"))
    first = token()
    token.close()
    counter.execute("INSERT INTO numbers VALUES (1)")
    assert token() != first
    token.close()


def test_a_database_that_is_away_has_no_token(tmp_path: Path) -> None:
    assert SqliteToken(str(tmp_path / "missing" / "new.db"))() is None


@pytest.fixture
def delayed(tmp_path: Path) -> Iterator[Shelf]:
    """A library on a PostgreSQL whose commits are in its log long before they can be seen."""
    with Postgres(options=DELAYED) as server:
        environment = {**fresh_environment(tmp_path), "DATABASE_URL": server.new_database()}
        flask(environment, "db", "upgrade")
        shelf = Shelf.of(environment)
        shelf.add_person("rita")
        yield shelf


@pytest.mark.postgres
def test_a_commit_that_cannot_be_seen_yet_does_not_make_a_page_stale(delayed: Shelf) -> None:
    """A page made while the commit is in the log, but not visible, must not be given after it."""
    rita = delayed.client("rita")
    url = delayed.environment["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True) as connection:
        for number in range(MOST_ATTEMPTS):
            uid = f"delayed{number}"
            given = {"uid": uid, "started_at": STARTED_AT + timedelta(minutes=number)}
            adding = threading.Thread(target=delayed.add, args=(None,), kwargs=given)
            adding.start()
            places_without = set()
            while adding.is_alive():
                place = _end_of_log(connection)
                if uid not in rita.get("/recordings", headers=HTMX).text:
                    places_without.add(place)
            adding.join()
            assert uid in rita.get("/recordings", headers=HTMX).text
            if _end_of_log(connection) in places_without:
                return
    pytest.fail("no page was made between a commit's place in the log and its visibility")


def _end_of_log(connection: psycopg.Connection) -> str:
    row = connection.execute("SELECT pg_current_wal_insert_lsn()").fetchone()
    assert row
    return row[0]
