"""Heartbeat of the worker, and its report on the recordings folder."""

from pathlib import Path

import pytest

from tests.support.command import flask
from tests.support.processes import Worker
from tests.support.rows import worker_row
from tests.support.waiting import wait_until

Env = dict[str, str]


def test_a_connected_worker_names_itself_and_its_asterisk(
    live_env: Env, worker_process: Worker
) -> None:
    row = worker_row(live_env)
    (kept,) = Path(live_env["RECORDINGS_DIR"]).glob(".pbx/*")
    assert row["name"] == kept.read_text().strip()
    assert row["asterisk_version"]
    assert row["problem"] == ""


@pytest.mark.slow
def test_little_room_is_told_before_there_is_none(live_env: Env, worker_process: Worker) -> None:
    flask(live_env, "settings", "set", "disk_warning_mb", "100000000")
    wait_until(lambda: "MB are left" in worker_row(live_env)["problem"], "the warning")
    assert worker_row(live_env)["connected_at"] is not None
    flask(live_env, "settings", "set", "disk_warning_mb", "0")
    wait_until(lambda: worker_row(live_env)["problem"] == "", "the warning is over")
    assert "there is room for recordings again" in worker_process.log.read_text()
