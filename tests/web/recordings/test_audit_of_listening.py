"""Audit of playing and downloading: one entry for one listening."""

import logging
import sqlite3
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from callytics.audit.models import AuditEntry
from callytics.clock import utc_now
from callytics.database.transactions import writing
from callytics.web.recordings import listening_log
from tests.support.processes import Install
from tests.support.shelf import Shelf, wav_bytes
from tests.support.waiting import wait_until

WAV = wav_bytes(bytes(4000))


@pytest.fixture(scope="module")
def shelf(install: Install, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    environment = install(tmp_path_factory.mktemp("shelf"))
    shelf = Shelf.of(environment)
    shelf.add_person("rita")
    shelf.add_person("adam", "admin")
    return shelf


@pytest.fixture(scope="module")
def rita(shelf: Shelf) -> FlaskClient:
    return shelf.client("rita")


@pytest.fixture
def locked(shelf: Shelf) -> Iterator[sqlite3.Connection]:
    """Somebody writes to the database and does not come to an end."""
    path = shelf.environment["DATABASE_URL"].removeprefix("sqlite:///")
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    yield connection
    if connection.in_transaction:
        connection.rollback()
    connection.close()


def another_process() -> None:
    """Forget the memory of this process, as another process does not have it."""
    listening_log._noted.clear()


def test_hearing_and_saving_are_told_apart(shelf: Shelf, rita: FlaskClient) -> None:
    facts = shelf.add(WAV)
    rita.get(f"/recordings/{facts.uid}/audio")
    rita.get(f"/recordings/{facts.uid}/download")
    assert shelf.accesses(facts) == [("rita", "play"), ("rita", "download")]


def test_the_many_parts_of_one_listening_are_one_entry(shelf: Shelf, rita: FlaskClient) -> None:
    facts = shelf.add(WAV)
    for first in range(0, 4000, 500):
        answer = rita.get(
            f"/recordings/{facts.uid}/audio", headers={"Range": f"bytes={first}-{first + 499}"}
        )
        assert answer.status_code == 206
    assert shelf.accesses(facts) == [("rita", "play")]


def test_parts_served_by_two_processes_are_one_entry(shelf: Shelf, rita: FlaskClient) -> None:
    facts = shelf.add(WAV)
    rita.get(f"/recordings/{facts.uid}/audio")
    another_process()
    rita.get(f"/recordings/{facts.uid}/audio")
    assert shelf.accesses(facts) == [("rita", "play")]


def test_another_person_is_another_listening(shelf: Shelf, rita: FlaskClient) -> None:
    facts = shelf.add(WAV)
    adam = shelf.client("adam")
    for client in (rita, adam, rita):
        client.get(f"/recordings/{facts.uid}/audio")
    assert shelf.accesses(facts) == [("rita", "play"), ("adam", "play")]


def test_who_comes_back_later_listens_again(shelf: Shelf, rita: FlaskClient) -> None:
    facts = shelf.add(WAV)
    rita.get(f"/recordings/{facts.uid}/audio")
    another_process()
    long_ago = utc_now() - listening_log.ONE_LISTENING - timedelta(seconds=1)
    with shelf.app.app_context(), writing() as connection:
        mine = AuditEntry.recording_uid == facts.uid
        connection.execute(update(AuditEntry).where(mine).values(at=long_ago))
    rita.get(f"/recordings/{facts.uid}/audio")
    assert shelf.accesses(facts) == [("rita", "play")] * 2


def test_this_process_forgets_a_listening_in_time(shelf, rita, monkeypatch) -> None:
    facts = shelf.add(WAV)
    monkeypatch.setattr(listening_log, "ONE_LISTENING", timedelta(microseconds=1))
    for _ in range(2):
        rita.get(f"/recordings/{facts.uid}/audio")
    assert shelf.accesses(facts) == [("rita", "play")] * 2


def test_hearing_it_from_the_browsers_own_copy_counts(shelf: Shelf, rita: FlaskClient) -> None:
    facts = shelf.add(WAV)
    etag = rita.head(f"/recordings/{facts.uid}/audio").headers["ETag"]
    answer = rita.get(f"/recordings/{facts.uid}/audio", headers={"If-None-Match": etag})
    assert answer.status_code == 304
    assert shelf.accesses(facts) == [("rita", "play")]


def test_who_hears_nothing_leaves_no_entry(shelf: Shelf, rita: FlaskClient) -> None:
    facts, gone = shelf.add(WAV), shelf.add(None)
    rita.head(f"/recordings/{facts.uid}/audio")
    rita.get(f"/recordings/{facts.uid}/audio", headers={"Range": "bytes=999999-"})
    rita.get(f"/recordings/{facts.uid}/audio", headers={"If-Match": '"x"'})
    rita.get(f"/recordings/{gone.uid}/audio")
    shelf.app.test_client().get(f"/recordings/{facts.uid}/audio")
    assert shelf.accesses(facts) == shelf.accesses(gone) == []


def test_without_an_entry_nothing_is_heard_and_page_and_log_say_why(
    shelf: Shelf, rita: FlaskClient, locked: sqlite3.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    locked.rollback()
    facts = shelf.add(WAV)
    locked.execute("BEGIN IMMEDIATE")
    with caplog.at_level(logging.ERROR):
        answer = rita.get(f"/recordings/{facts.uid}/audio")
    assert answer.status_code == 503
    assert b"The audit cannot be written" in answer.data
    assert WAV[44:] not in answer.data
    assert shelf.accesses(facts) == []
    assert "rita" in caplog.text and facts.uid in caplog.text and "play" in caplog.text


def test_once_the_database_is_free_the_listening_is_kept(shelf, rita, locked) -> None:
    locked.rollback()
    facts = shelf.add(WAV)
    locked.execute("BEGIN IMMEDIATE")
    rita.get(f"/recordings/{facts.uid}/audio")
    locked.rollback()
    rita.get(f"/recordings/{facts.uid}/audio")
    wait_until(lambda: shelf.accesses(facts), "the entry is written")
    assert shelf.accesses(facts) == [("rita", "play")]


def test_an_entry_that_failed_is_tried_again_with_the_next_part(shelf, rita) -> None:
    facts = shelf.add(WAV)
    rename = "ALTER TABLE {} RENAME TO {}"
    with shelf.app.app_context(), writing() as connection:
        connection.exec_driver_sql(rename.format("audit_entries", "away"))
    try:
        assert rita.get(f"/recordings/{facts.uid}/audio").status_code == 503
    finally:
        with shelf.app.app_context(), writing() as connection:
            connection.exec_driver_sql(rename.format("away", "audit_entries"))
    rita.get(f"/recordings/{facts.uid}/audio")
    assert shelf.accesses(facts) == [("rita", "play")]


def test_the_database_is_not_asked_again_for_every_part(shelf, rita, locked, caplog) -> None:
    locked.rollback()
    facts = shelf.add(WAV)
    rita.get(f"/recordings/{facts.uid}/audio")
    locked.execute("BEGIN IMMEDIATE")
    rita.get(f"/recordings/{facts.uid}/audio")
    assert "cannot be kept" not in caplog.text


def test_what_is_remembered_does_not_grow_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening_log, "_MOST_REMEMBERED", 3)
    another_process()
    for number in range(10):
        listening_log._remember(("rita", "play", str(number)), float(number))
    assert [key[2] for key in listening_log._noted] == ["7", "8", "9"]
