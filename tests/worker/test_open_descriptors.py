"""Descriptors of a worker over calls, new connections to Asterisk and new rules."""

from pathlib import Path

from tests.support.ari_server import CLOSE
from tests.support.descriptors import check_that_none_is_left, descriptors
from tests.support.rows import use_settings
from tests.support.stage import Stage, set_stage
from tests.support.waiting import wait_until

CALLS = 15
# The pause before each is twice as long as the one before.
CONNECTIONS = 3


def connect_anew(stage: Stage) -> None:
    """Asterisk closes the connection, and the worker opens the next."""
    count = len(stage.ari.sockets)
    stage.ari.sockets[-1].send("", CLOSE)
    wait_until(lambda: len(stage.ari.sockets) > count, "the worker connects anew")


def call_twice(stage: Stage, number: int) -> None:
    """New rules, a call that is recorded and one whose caller goes at once."""
    use_settings(stage.environment, retention_days=str(number + 1))
    stage.talk(stage.ari.place_call(f"1555{number:04}"))
    early = stage.ari.place_call(f"1666{number:04}")
    early.happens("caller hangs up")
    stage.wait_for_end(early)
    wait_until(stage.nothing_is_left, "nothing is left")


def test_a_worker_has_no_more_open_after_calls_and_new_connections(
    app_env: dict[str, str], tmp_path: Path
) -> None:
    with set_stage(app_env, tmp_path) as stage:
        process = stage.worker.process.pid
        for number in range(3):
            call_twice(stage, number)
        warm = descriptors(process)
        for number in range(3, 3 + CALLS):
            call_twice(stage, number)
        check_that_none_is_left(process, warm, f"{2 * CALLS} calls")
        warm = descriptors(process)
        for _ in range(CONNECTIONS):
            connect_anew(stage)
        check_that_none_is_left(process, warm, f"{CONNECTIONS} connections", more=1)
