"""Heartbeat of workers: one row each, and the problem of the newest one in words."""

from datetime import timedelta
from types import SimpleNamespace

from flask import Flask

from callytics.clock import utc_now
from callytics.pbx import heartbeat
from callytics.pbx.models import Pbx
from tests.support.pbxs import record_heartbeat
from tests.support.shelf import STARTED_AT
from tests.support.tables import all_rows


def test_a_worker_is_one_row_and_the_newest_is_found(app: Flask) -> None:
    for name, version in (("one", "20.1"), ("two", "22.1"), ("one", "22.2")):
        record_heartbeat(name, STARTED_AT, None, version, "no connection")
    assert {row.name: row.asterisk_version for row in all_rows(Pbx)} == {
        "one": "22.2",
        "two": "22.1",
    }
    worker = heartbeat.newest_worker()
    assert (worker.asterisk_version, worker.connected_at) == ("22.2", None)


def test_a_worker_that_is_silent_for_too_long_counts_as_gone() -> None:
    limit = timedelta(seconds=heartbeat.WORKER_SILENT_SECONDS)
    present = SimpleNamespace(seen_at=utc_now() - limit / 2)
    gone = SimpleNamespace(seen_at=utc_now() - 2 * limit)
    assert heartbeat.worker_problem(present) is None
    assert "has been seen for 60 seconds" in str(heartbeat.worker_problem(gone))
    assert "no worker has ever run" in str(heartbeat.worker_problem(None))
