"""Stand-by: a second worker for the same calls waits, and takes over when the first is gone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from tests.support.asterisk import AsteriskServer
from tests.support.processes import Worker
from tests.support.rows import ended_calls, recordings_in, rows, use_flow
from tests.support.said import lines_with, wait_for_line
from tests.support.stand_in import StandIn
from tests.support.waiting import wait_until

DESK = {"type": "transfer", "destination": "Local/tone1000@party/n", "record_call": True}
# Longer than the time after which a worker that stands by asks again.
ASKED_AGAIN_SECONDS = 30
Env = dict[str, str]


class SecondWorker(Worker):
    """A worker that is started beside another; ready when it has said that it waits."""

    name = "second-worker"
    waits = ("stands by", "set another PBX_NAME")

    def start(self) -> None:
        """Start it without waiting for its row, which may be that of the first."""
        super(Worker, self).start()

    def is_ready(self) -> bool:
        """Return True if it waits."""
        return any(lines_with(self.log, words) for words in self.waits)

    def leads(self) -> bool:
        """Return True if it has connected to Asterisk."""
        return bool(lines_with(self.log, "connected to Asterisk"))


class OtherWorker(Worker):
    """A worker of another application; its log is its own."""

    name = "other-worker"


def pbx_names(environment: Env) -> list[str]:
    """Return the names of all PBXs in the database."""
    return [row["name"] for row in rows(environment, "SELECT name FROM pbxs ORDER BY name")]


def end_leases(environment: Env) -> None:
    """Let all leases end, as after half a minute without their workers."""
    engine = create_engine(environment["DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE pbxs SET lease_until = '2026-01-01 00:00:00.000000'"))
    engine.dispose()


def without_lock(environment: Env, folder: Path) -> Env:
    """Return the environment of a worker that cannot see by a lock who lives, as on another host.

    It has the same name, but a folder of its own.
    """
    (folder / "elsewhere").mkdir()
    (name,) = pbx_names(environment)
    return {**environment, "PBX_NAME": name, "RECORDINGS_DIR": str(folder / "elsewhere")}


def test_a_second_worker_of_a_pbx_waits_and_takes_over_when_the_first_dies(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker, tmp_path: Path
) -> None:
    use_flow(live_env, {"desk": DESK})
    with SecondWorker(live_env, tmp_path) as second:
        call = asterisk.place_call("1000", "tone440")
        recordings_in(live_env, "recording")
        assert not second.leads()
        worker_process.kill()
        # Long before the end of the lease: they share a machine, and with it the lock.
        wait_until(second.leads, "the second leads", 20)
        wait_for_line(second.log, "is adopted")
        assert len(lines_with(second.log, "stands by")) == 1
        call.hang_up()
        (ended,) = ended_calls(live_env)
        (recording,) = recordings_in(live_env, "available")
        assert (ended["disposition"], recording["state_reason"]) == ("answered", "")


@contextmanager
def leading(environment: Env, ari: StandIn, folder: Path) -> Iterator[Worker]:
    """Start a worker that leads the calls of a stand-in."""
    with Worker({**environment, "ARI_URL": ari.url}, folder) as worker:
        yield worker


@pytest.fixture
def ari(app_env: Env) -> Iterator[StandIn]:
    with StandIn(Path(app_env["RECORDINGS_DIR"])) as server:
        yield server


def test_without_the_lock_it_waits_for_the_end_of_the_lease(
    app_env: Env, ari: StandIn, tmp_path: Path
) -> None:
    with leading(app_env, ari, tmp_path) as first:
        environment = {**without_lock(app_env, tmp_path), "ARI_URL": ari.url}
        with SecondWorker(environment, tmp_path) as second:
            first.kill()
            asked = len(ari.seen)
            wait_until(lambda: "GET asterisk info" in ari.seen[asked:], "it asks again")
            assert not second.leads()
            end_leases(app_env)
            wait_until(second.leads, "the second leads", ASKED_AGAIN_SECONDS)


def test_a_worker_that_is_stopped_gives_its_lease_to_the_next(
    app_env: Env, ari: StandIn, tmp_path: Path
) -> None:
    with leading(app_env, ari, tmp_path) as first:
        environment = {**without_lock(app_env, tmp_path), "ARI_URL": ari.url}
        with SecondWorker(environment, tmp_path) as second:
            assert first.terminate() == 0
            wait_until(second.leads, "the second leads", ASKED_AGAIN_SECONDS)


def test_a_worker_whose_lease_was_taken_stops_and_says_who_has_it(
    app_env: Env, ari: StandIn, tmp_path: Path
) -> None:
    with leading(app_env, ari, tmp_path) as first:
        engine = create_engine(app_env["DATABASE_URL"])
        with engine.begin() as connection:
            stolen = "UPDATE pbxs SET holder = 'other', host = 'elsewhere', process = 7, lock = ''"
            connection.execute(text(stolen))
        engine.dispose()
        assert first.process
        assert first.process.wait(timeout=60) == 3
        first.process = None
        (line,) = lines_with(first.log, "this worker stops")
        assert "is led by the worker on elsewhere (process 7)" in line


def test_another_name_for_the_same_asterisk_waits_and_takes_its_calls_over(
    app_env: Env, ari: StandIn, tmp_path: Path
) -> None:
    with leading({**app_env, "PBX_NAME": "one"}, ari, tmp_path) as first:
        environment = {**app_env, "PBX_NAME": "two", "ARI_URL": ari.url}
        with SecondWorker(environment, tmp_path) as second:
            assert pbx_names(app_env) == ["one"]
            (line,) = lines_with(second.log, "stands by")
            assert "application callytics are PBX one, led by the worker on" in line
            first.terminate()
            wait_until(second.leads, "the second leads", ASKED_AGAIN_SECONDS)
            wait_until(lambda: pbx_names(app_env) == ["two"], "the first is forgotten")


def test_another_application_of_the_same_asterisk_is_a_pbx_of_its_own(
    app_env: Env, ari: StandIn, tmp_path: Path
) -> None:
    other = {**app_env, "ARI_APP": "other", "ARI_URL": ari.url}
    with leading(app_env, ari, tmp_path), OtherWorker(other, tmp_path):
        assert len(pbx_names(app_env)) == 2


def test_another_asterisk_with_a_folder_whose_name_is_taken_is_told_to_set_one(
    app_env: Env, ari: StandIn, tmp_path: Path
) -> None:
    second = SecondWorker(app_env, tmp_path)
    with StandIn(ari.recordings) as other, leading(app_env, ari, tmp_path) as first:
        second.environment = {**app_env, "ARI_URL": other.url}
        with second:
            (line,) = lines_with(second.log, "set another PBX_NAME for this one")
            assert "PBX_NAME: " in line
            asked = len(other.seen)
            wait_until(lambda: other.seen[asked:].count("GET asterisk info") > 2, "it asks again")
            # It has seen the first renew its lease, so it never takes the calls of that Asterisk.
            first.kill()
            end_leases(app_env)
            asked = len(other.seen)
            wait_until(lambda: other.seen[asked:].count("GET asterisk info") > 1, "it asks again")
            assert not second.leads()
