"""Connection of the worker to Asterisk: lost, dead, taken over, refused; and its shutdown."""

import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import websocket

from tests.support.asterisk import PASSWORD, AsteriskServer
from tests.support.counted import CountingDoor
from tests.support.process import PROJECT
from tests.support.processes import Worker
from tests.support.rows import (
    audio_of,
    calls,
    ended_calls,
    recordings_in,
    rows,
    use_flow,
    worker_row,
)
from tests.support.said import lines_with, time_of, wait_for_line
from tests.support.stand_in import StandIn
from tests.support.waiting import wait_until

DESK = {"type": "transfer", "destination": "Local/tone1000@party/n", "record_call": True}
Env = dict[str, str]


class LonelyWorker(Worker):
    """A worker without Asterisk or database: ready when it has logged that."""

    trouble = "trying again"

    def start(self) -> None:
        """Start it without waiting for its row: there may be no database."""
        super(Worker, self).start()

    def is_ready(self) -> bool:
        """Return True if it has said what is wrong."""
        return bool(lines_with(self.log, self.trouble))


def test_a_connection_that_went_dead_is_noticed_within_ten_seconds(
    app_env: Env, tmp_path: Path
) -> None:
    with StandIn(Path(app_env["RECORDINGS_DIR"])) as ari:
        environment = {**app_env, "ARI_URL": ari.url}
        use_flow(environment, {"desk": DESK})
        with Worker(environment, tmp_path) as worker:
            ari.go_silent()
            line = wait_for_line(worker.log, "no event came from Asterisk")
            # Five seconds more are for a busy machine.
            assert time_of(line) - ari.last_sent_at < 10 + 5
            wait_until(lambda: len(ari.sockets) == 2, "it connects anew")
            wait_until(lambda: worker_row(environment)["connected_at"], "its row says so")
            call = ari.place_call("15550001")
            wait_until(lambda: "leg" in call.ids, "the desk rings")
            call.happens("callee answers")
            wait_until(lambda: ari.live, "it is recorded")
            call.happens("caller hangs up")
            recordings_in(environment, "available")


def test_asterisk_comes_back_after_a_crash_and_the_worker_with_it(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"desk": DESK})
    asterisk.kill()
    row = wait_until(lambda: _lonely(live_env), "its row says that it has no connection")
    assert "ARI_URL" in str(row["problem"]) or "lost" in str(row["problem"])
    asterisk.start()
    wait_until(lambda: worker_row(live_env)["connected_at"], "it has a connection again")
    assert worker_row(live_env)["problem"] == ""
    call = asterisk.place_call("1000", "tone440")
    recordings_in(live_env, "recording")
    call.hang_up()
    ended_calls(live_env)
    assert len(lines_with(worker_process.log, "nobody answers")) <= 1


def _lonely(environment: Env) -> dict[str, object] | None:
    row = worker_row(environment)
    return None if row["connected_at"] else row


def test_a_second_worker_of_the_same_application_ends_the_first(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    assert worker_process.process
    url = live_env["ARI_URL"].replace("http", "ws", 1)
    second = websocket.create_connection(
        f"{url}/events?app=callytics&api_key=callytics:{PASSWORD}", timeout=60
    )
    try:
        code = worker_process.process.wait(timeout=60)
    finally:
        second.close()
    worker_process.process = None
    assert code == 3
    assert len(lines_with(worker_process.log, "another worker took the application")) == 1
    assert "Traceback" not in worker_process.log.read_text()


def test_a_worker_that_is_told_to_stop_leaves_calls_and_recordings_alone(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_flow(live_env, {"desk": DESK})
    call = asterisk.place_call("1000", "tone440")
    (recording,) = recordings_in(live_env, "recording")
    audio = audio_of(live_env, recording)
    wait_until(lambda: audio.exists() and audio.stat().st_size > 44, "it grows")
    channels = {channel["id"] for channel in asterisk.channels()}

    assert worker_process.terminate() == 0

    assert {channel["id"] for channel in asterisk.channels()} == channels
    (bridge,) = asterisk.bridges()
    assert len(bridge["channels"]) >= 2
    assert call.is_up()
    before = audio.stat().st_size
    wait_until(lambda: audio.stat().st_size > before + 8000, "the file still grows")
    (unended,) = calls(live_env)
    assert unended["ended_at"] is None
    assert worker_row(live_env)["problem"] == "the worker was stopped"
    assert "Traceback" not in worker_process.log.read_text()


@contextmanager
def _door_to(asterisk: AsteriskServer) -> Iterator[CountingDoor]:
    with CountingDoor(asterisk.http_port, b"GET ") as door:
        yield door


@pytest.mark.parametrize(
    ("path", "password", "variable"),
    [("ari", "not-the-password", "ARI_PASSWORD"), ("elsewhere/ari", PASSWORD, "ARI_URL")],
)
def test_a_refusal_is_said_once_a_minute_and_names_the_variable(
    asterisk: AsteriskServer,
    live_env: Env,
    tmp_path: Path,
    path: str,
    password: str,
    variable: str,
) -> None:
    with _door_to(asterisk) as door:
        url = f"http://127.0.0.1:{door.port}/{path}"
        environment = {**live_env, "ARI_URL": url, "ARI_PASSWORD": password}
        with LonelyWorker(environment, tmp_path, forked=False) as worker:
            wait_until(lambda: door.count >= 3, "it has tried three times")
            _said_once_and_kept(worker, variable)


def test_that_nobody_is_there_is_said_once_a_minute(app_env: Env, tmp_path: Path) -> None:
    with CountingDoor() as door:
        environment = {**app_env, "ARI_URL": f"http://127.0.0.1:{door.port}/ari"}
        with LonelyWorker(environment, tmp_path, forked=False) as worker:
            # Each try opens a connection and, because it broke, another one.
            wait_until(lambda: door.count >= 6, "it has tried three times")
            _said_once_and_kept(worker, "ARI_URL")


def _said_once_and_kept(worker: Worker, variable: str) -> None:
    """Check that one line of the log and the row name the variable, and none has the password."""
    assert worker.process
    assert worker.process.poll() is None
    (line,) = lines_with(worker.log, "trying again")
    assert variable in line
    row = wait_until(lambda: rows(worker.environment, "SELECT * FROM pbxs"), "its row")[0]
    wait_until(lambda: variable in worker_row(worker.environment)["problem"], "its row says why")
    assert row["connected_at"] is None
    password = worker.environment["ARI_PASSWORD"]
    database = Path(worker.environment["DATABASE_URL"].removeprefix("sqlite:///"))
    for kept in (worker.log, database, *database.parent.glob("callytics.db-*")):
        assert password.encode() not in kept.read_bytes(), kept


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RECORDINGS_DIR", "recordings"),
        ("PORT", "many"),
        ("ARI_URL", "127.0.0.1:8088"),
        ("ARI_URL", "http://127.0.0.1:99999/ari"),
        ("ARI_URL", "http://callytics:hidden-word@127.0.0.1:8088/ari"),
        ("DATABASE_URL", "mysql://callytics:hidden-word@127.0.0.1/callytics"),
        ("DATABASE_URL", "postgresql://callytics:hidden-word@127.0.0.1:many/callytics"),
    ],
)
def test_a_value_that_cannot_be_used_ends_the_worker_in_one_line(
    app_env: Env, name: str, value: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "worker"],
        cwd=PROJECT,
        env={**app_env, name: value},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert f" {name}: must " in line
    assert "hidden-word" not in line


def test_calls_go_on_while_the_database_is_away_when_the_worker_starts(
    asterisk: AsteriskServer, live_env: Env, tmp_path: Path
) -> None:
    use_flow(live_env, {"desk": DESK})
    with Worker(live_env, tmp_path):
        folder = Path(live_env["RECORDINGS_DIR"])
        kept = lambda: [path.read_text() for path in folder.glob(".rules/*.json")]  # noqa: E731
        wait_until(lambda: "tone1000" in "".join(kept()), "the flows are kept")
    with CountingDoor() as door:
        url = f"postgresql://callytics:hidden-word@127.0.0.1:{door.port}/callytics"
        with LonelyWorker({**live_env, "DATABASE_URL": url}, tmp_path, forked=False) as worker:
            # The worker before this one wrote the same line to the same log.
            connected = "connected to Asterisk"
            wait_until(lambda: len(lines_with(worker.log, connected)) == 2, "it is connected")
            tried = door.count
            call = asterisk.place_call("1000", "tone440")
            folder = Path(live_env["RECORDINGS_DIR"])
            found = wait_until(lambda: list(folder.rglob("*.wav")), "it is recorded")
            wait_until(lambda: door.count >= tried + 4, "the database was tried again and again")
            call.hang_up()
            facts = found[0].with_suffix(".json")
            wait_until(lambda: '"available"' in facts.read_text(), "its facts are complete")
            for trouble in ("DATABASE_URL", "the flows and settings cannot be read"):
                assert len(lines_with(worker.log, trouble)) == 1
            assert "hidden-word" not in worker.log.read_text()
            assert "Traceback" not in worker.log.read_text()


def test_a_password_may_hold_any_letter(app_env: Env, tmp_path: Path) -> None:
    with StandIn(Path(app_env["RECORDINGS_DIR"])) as ari:
        environment = {**app_env, "ARI_URL": ari.url, "ARI_PASSWORD": "caffè-€-密码"}
        with Worker(environment, tmp_path):
            # Commands and events use the encoding that Asterisk compares with its file.
            words = b64encode("callytics:caffè-€-密码".encode()).decode()
            assert ari.logins == {f"Basic {words}"}


MALFORMED = (
    "{",
    "[]",
    "null",
    '"StasisStart"',
    "{}",
    '{"type": 7}',
    '{"type": "StasisStart"}',
    '{"type": "StasisStart", "channel": {"id": "x"}}',
    '{"type": "StasisStart", "args": [], "channel": {"id": ["x"]}}',
    '{"type": "StasisStart", "args": [], "channel": "x"}',
    '{"type": "ChannelDestroyed", "channel": 1}',
    '{"type": "RecordingFinished", "recording": {}}',
    '{"type": "NeverHeardOf", "channel": {"id": "x"}}',
    '{"type": "\udcff"}',
    "[" * 100_000,
)


def test_malformed_and_unknown_events_are_skipped(app_env: Env, tmp_path: Path) -> None:
    with StandIn(Path(app_env["RECORDINGS_DIR"])) as ari:
        environment = {**app_env, "ARI_URL": ari.url}
        use_flow(environment, {"desk": DESK})
        with Worker(environment, tmp_path) as worker:
            for text in MALFORMED:
                ari.send_text(text)
            call = ari.place_call("15550002")
            wait_until(lambda: "leg" in call.ids, "the desk rings")
            call.happens("callee answers")
            wait_until(lambda: ari.live, "it is recorded")
            # The same for channels and bridges that belong to a call.
            for kind in (7, "Unheard", "RecordingStarted", "StasisStart", "ChannelDestroyed"):
                for key in ("caller", "leg", "bridge"):
                    thing = {"id": call.ids[key]}
                    ari.send({"type": kind, "channel": thing, "bridge": None, "args": 1})
                    ari.send({"type": kind, "bridge": thing, "recording": []})
            call.happens("caller hangs up")
            recordings_in(environment, "available")
            assert lines_with(worker.log, "skipped")
            assert len(ari.sockets) == 1
            assert "Traceback" not in worker.log.read_text()


def test_a_call_that_begins_while_calls_are_compared_is_not_taken_for_one_that_ended(
    app_env: Env, tmp_path: Path
) -> None:
    with StandIn(Path(app_env["RECORDINGS_DIR"])) as ari:
        environment = {**app_env, "ARI_URL": ari.url}
        use_flow(environment, {"desk": DESK})
        listed = ari.hold("GET channels")
        with Worker(environment, tmp_path) as worker:
            wait_until(lambda: "GET channels" in ari.seen, "it asks who is there")
            call = ari.place_call("15550003")
            wait_until(lambda: call.ids.get("leg") in ari.channels, "the desk rings")
            listed.set()
            wait_until(lambda: "GET bridges" in ari.seen, "it has the list, in which nobody is")
            ari.send_text("{}")
            wait_for_line(worker.log, "skipped")
            call.happens("callee answers")
            wait_until(lambda: ari.live, "it is recorded")
            call.happens("caller hangs up")
            recordings_in(environment, "available")
            assert len(calls(environment)) == 1
