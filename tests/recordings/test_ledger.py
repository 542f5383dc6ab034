"""Ledger of recordings: every write can be repeated, by several processes at once."""

import subprocess
import sys
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError, StatementError

from callytics.audit.models import AuditEntry
from callytics.config import PROJECT_DIR
from callytics.database.transactions import writing
from callytics.recordings import ledger, library
from callytics.recordings.facts import Facts
from callytics.recordings.models import Recording
from tests.support.shelf import STARTED_AT
from tests.support.tables import all_rows


def facts(**changes: Any) -> Facts:
    usual = {"uid": "a1", "kind": "queue", "direction": "inbound", "state": "requested"}
    return Facts(**{**usual, "started_at": STARTED_AT, "format": "wav", **changes})


def test_a_recording_is_one_row_however_often_it_is_saved(app: Flask) -> None:
    for state in ("requested", "requested", "recording", "available"):
        ledger.save_recording(facts(state=state))
    (row,) = all_rows(Recording)
    assert (row.uid, row.state, row.path) == ("a1", "available", "2026/11/22/a1.wav")


def test_what_is_saved_again_keeps_its_place_in_the_list(app: Flask) -> None:
    ledger.save_recording(facts(uid="a1"))
    ledger.save_recording(facts(uid="b2"))
    before = {row.uid: row.id for row in all_rows(Recording)}
    ledger.save_recording(facts(uid="a1", state="available"))
    assert {row.uid: row.id for row in all_rows(Recording)} == before


def test_saving_facts_again_does_not_take_the_waveform_away(app: Flask) -> None:
    ledger.save_recording(facts())
    with writing() as connection:
        connection.execute(Recording.__table__.update().values(peaks=b"peaks"))
    ledger.save_recording(facts(state="available"))
    assert all_rows(Recording)[0].peaks == b"peaks"


def test_times_come_back_as_aware_utc(app: Flask) -> None:
    berlin = STARTED_AT.astimezone(timezone(timedelta(hours=1)))
    ledger.save_recording(facts(started_at=berlin))
    started_at = library.recording("a1").started_at
    assert started_at == STARTED_AT
    assert started_at.utcoffset() == timedelta(0)


def test_a_time_without_a_zone_is_refused_and_not_guessed(app: Flask) -> None:
    with pytest.raises(StatementError, match="without a zone"):
        ledger.save_recording(facts(started_at=datetime(2026, 11, 22)))
    assert all_rows(Recording) == []


def test_marking_changes_the_state_and_says_why(app: Flask) -> None:
    ledger.save_recording(facts(uid="a1", state="available"))
    ledger.save_recording(facts(uid="b2", state="available"))
    ledger.mark_recording("a1", "missing", "the file is gone")
    ledger.mark_recording("nobody", "missing", "the file is gone")
    states = {row.uid: (row.state, row.state_reason) for row in all_rows(Recording)}
    assert states == {"a1": ("missing", "the file is gone"), "b2": ("available", "")}


def test_forgetting_twice_is_fine_and_tells_which_was_first(app: Flask) -> None:
    ledger.save_recording(facts(uid="a1"))
    ledger.save_recording(facts(uid="b2"))
    assert ledger.forget_recording("a1")
    assert not ledger.forget_recording("a1")
    assert [row.uid for row in all_rows(Recording)] == ["b2"]


def test_a_write_that_fails_leaves_nothing_behind(app: Flask) -> None:
    ledger.save_recording(facts())
    with pytest.raises(IntegrityError), writing() as connection:
        connection.execute(Recording.__table__.update().values(state_reason="half"))
        connection.execute(Recording.__table__.insert().values(all_rows(Recording)[0]._mapping))
    assert all_rows(Recording)[0].state_reason == ""


WRITER = """
import sys
from sqlalchemy import func, insert, select
from callytics import create_app
from callytics.database.transactions import writing
from callytics.clock import utc_now
from callytics.audit.models import AuditEntry

values = {"at": utc_now(), "username": sys.argv[1], "action": "play", "detail": ""}
with create_app().app_context():
    for _ in range(150):
        with writing() as connection:
            count = connection.scalar(select(func.count()).select_from(AuditEntry))
            connection.execute(insert(AuditEntry).values(recording_uid=str(count), **values))
"""


def test_many_processes_write_at_once_and_none_fails(app: Flask, app_env) -> None:
    """A deferred transaction would fail if another process wrote after its first read."""
    command = [sys.executable, "-c", WRITER]
    many = [subprocess.Popen([*command, f"p{n}"], cwd=PROJECT_DIR, env=app_env) for n in range(4)]
    assert [process.wait(timeout=300) for process in many] == [0] * 4
    # No process wrote between the read and the write of another.
    counted = sorted(int(entry.recording_uid) for entry in all_rows(AuditEntry))
    assert counted == list(range(4 * 150))
