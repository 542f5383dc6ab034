"""Access log: entries stay after a recording is deleted, and repeats can be left out."""

import re
from datetime import timedelta

from flask import Flask

from callytics.audit import access_log
from callytics.audit.models import AuditEntry
from callytics.clock import utc_now
from callytics.config import PROJECT_DIR
from callytics.recordings import ledger
from callytics.recordings.facts import Facts
from tests.support.shelf import STARTED_AT
from tests.support.tables import all_rows


def test_the_audit_outlives_the_recording(app: Flask) -> None:
    recording = Facts("a1", "queue", "inbound", "available", STARTED_AT, "wav")
    ledger.save_recording(recording)
    access_log.log_access("adam", "delete", "a1", "asked for by the caller")
    ledger.forget_recording("a1")
    (entry,) = all_rows(AuditEntry)
    assert (entry.username, entry.action, entry.recording_uid) == ("adam", "delete", "a1")
    assert entry.detail == "asked for by the caller"
    assert utc_now() - entry.at < timedelta(minutes=5)


def test_the_same_action_is_logged_once_within_a_time(app: Flask) -> None:
    wanted = [("ada", "play"), ("ada", "download"), ("bob", "play")]
    for username, action in (wanted[0], *wanted):
        access_log.log_access_once(username, action, "a1", timedelta(minutes=10))
    logged = [(entry.username, entry.action) for entry in all_rows(AuditEntry)]
    assert logged == wanted
    access_log.log_access_once("ada", "play", "a1", timedelta(0))
    assert len(all_rows(AuditEntry)) == 4


def test_only_the_access_log_inserts_audit_entries() -> None:
    inserts = re.compile(r"insert\(AuditEntry|INSERT INTO audit_entries", re.IGNORECASE)
    sources = [*PROJECT_DIR.glob("callytics/**/*.py"), *PROJECT_DIR.glob("worker/**/*.py")]
    found = [path.name for path in sources for _ in inserts.findall(path.read_text())]
    assert found == ["access_log.py"]
