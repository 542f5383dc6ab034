"""Locked database during calls: the calls go on, and the rows are written later."""

import sqlite3
from pathlib import Path

from tests.support.asterisk import AsteriskServer
from tests.support.processes import Worker
from tests.support.rows import audio_of, ended_calls, facts_of, recordings, recordings_in, use_flow
from tests.support.tones import HEARD_DB, loudest_db
from tests.support.waiting import wait_until

Env = dict[str, str]


def test_calls_are_connected_and_recorded_while_somebody_locks_the_database(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    node = {"type": "transfer", "destination": "Local/tone1000__2@party/n", "record_call": True}
    use_flow(live_env, {"desk": node})
    asterisk.place_call("1000", "tone440", caller_number="15550100")
    ended_calls(live_env)
    recordings_in(live_env, "available")
    path = live_env["DATABASE_URL"].removeprefix("sqlite:///")
    somebody = sqlite3.connect(path, isolation_level=None)
    somebody.execute("BEGIN EXCLUSIVE")
    before = len(recordings(live_env))
    folder = audio_of(live_env, {"path": ""})
    try:
        for count in (1, 2):
            asterisk.place_call("1000", "tone440", caller_number=f"1555020{count}")
            wait_until(
                lambda n=count: len(finished(folder)) == before + n, "facts say it is available"
            )
        log = worker_process.log
        wait_until(lambda: "the database is away" in log.read_text(), "the worker says so")
        assert len(recordings(live_env)) == before
    finally:
        somebody.rollback()
        somebody.close()
    found = recordings_in(live_env, "available", 3)
    assert [row["caller_number"] for row in found] == ["15550100", "15550201", "15550202"]
    for row in found:
        assert min(loudest_db(audio_of(live_env, row), (440, 1000)).values()) > HEARD_DB
        assert facts_of(live_env, row)["size_bytes"] == row["size_bytes"]
    assert len(ended_calls(live_env, 3)) == 3
    wait_until(lambda: "the database answers again" in log.read_text(), "and when it is over")


def finished(folder: Path) -> list[Path]:
    """Return the facts files in which a recording is available."""
    return [path for path in folder.rglob("*.json") if '"available"' in path.read_text()]
