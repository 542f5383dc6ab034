"""Heartbeats of PBXs: which are looked at, and the problems of their workers in words."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from flask import Flask
from sqlalchemy import update

from callytics.clock import utc_now
from callytics.database.transactions import writing
from callytics.pbx import heartbeat
from callytics.pbx.models import Pbx
from tests.support.pbxs import record_heartbeat
from tests.support.shelf import STARTED_AT


def pbx(name: str, seconds_ago: float, connected: bool = True) -> Any:
    seen_at = utc_now() - timedelta(seconds=seconds_ago)
    return SimpleNamespace(name=name, seen_at=seen_at, connected_at=seen_at if connected else None)


def test_all_pbxs_are_looked_at_that_were_not_given_up(app: Flask) -> None:
    for name, version in (("one", "20.1"), ("two", "22.1"), ("three", ""), ("one", "22.2")):
        record_heartbeat(name, STARTED_AT, None, version, "no connection")
    with writing() as connection:
        connection.execute(update(Pbx).where(Pbx.name == "two").values(given_up_at=utc_now()))
    living = [(row.name, row.asterisk_version) for row in heartbeat.living_pbxs()]
    assert living == [("one", "22.2"), ("three", "")]
    assert [row.name for row in heartbeat.all_pbxs()] == ["one", "three", "two"]


def test_a_worker_that_is_silent_for_too_long_counts_as_gone() -> None:
    limit = heartbeat.WORKER_SILENT_SECONDS
    present, gone = pbx("one", limit / 2), pbx("two", 2 * limit)
    assert heartbeat.worker_problem([present]) is None
    assert "no worker has been seen for 60 seconds" in str(heartbeat.worker_problem([gone]))
    assert "no worker has ever run" in str(heartbeat.worker_problem([]))
    # The newest says nothing of the others.
    both = heartbeat.worker_problem([present, gone])
    assert both == "no worker of PBX two has been seen for 60 seconds: start it again"


def test_a_call_can_be_placed_while_any_worker_is_connected() -> None:
    gone, deaf, well = pbx("one", 60), pbx("two", 1, connected=False), pbx("three", 1)
    assert heartbeat.is_any_connected([gone, deaf, well])
    assert not heartbeat.is_any_connected([gone, deaf])
    assert heartbeat.is_any_running([gone, deaf])
    assert not heartbeat.is_any_running([gone])
