"""Forged callers: a dialed number or a SIP header cannot say who called, nor write into a log."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from callytics.identifiers import is_placed_channel, new_placed_channel
from tests.support.asterisk import PASSWORD, AsteriskServer
from tests.support.processes import Worker
from tests.support.rows import calls, ended_calls, rows, use_flow, use_settings
from tests.support.sipp import Phones
from tests.support.waiting import wait_until

Env = dict[str, str]

FORGED = "1000,PJSIP/911,The%20CEO"
VOICEMAIL = {"message": {"type": "voicemail", "max_seconds": 1, "max_silence_seconds": 1}}
# A line of a log, and a command for a terminal: as the number, and as a header of SIP.
LOG_LINE = "2026-11-25%2000%3A00%3A00,000%20INFO%20forged"
CONTROLS = re.compile(r"[^\n -~\u00a1-\U0010ffff]")


@pytest.fixture
def house(live_env: Env) -> Env:
    """An installation that takes messages at 1000, and whose phones may call the trunk."""
    use_flow(live_env, VOICEMAIL)
    use_settings(live_env, outbound_endpoint="PJSIP/{number}@trunk", outbound_caller_id="")
    return live_env


def caller_of(call: dict[str, Any]) -> tuple[str, str]:
    """Number and name that a call was stored with."""
    return call["caller_number"], call["caller_name"]


def test_a_number_with_commas_from_outside_names_no_other_caller(
    phones: Phones, house: Env
) -> None:
    """Once through the sample dialplan, once through one that filters nothing."""
    for count, dialed in enumerate((FORGED, f"raw{FORGED}"), 1):
        phones.caller(dialed, "15550100")
        ended = ended_calls(house, count)[-1]
        assert caller_of(ended) == ("15550100", "Ann Example")
        assert ended["dialed_number"] == ("1000PJSIP911TheCEO" if count == 1 else "1000")
    assert {r["caller_number"] for r in rows(house, "SELECT * FROM recordings")} <= {"15550100"}


def test_a_phone_cannot_call_in_the_name_of_another(phones: Phones, house: Env) -> None:
    outside = phones.callee("trunk")
    alice = phones.caller("raw15550123,PJSIP/112,rita", "alice", name="")
    outside.answer()
    alice.hang_up()
    (ended,) = ended_calls(house)
    assert caller_of(ended) == ("201", "Alice")
    shown = outside.wait_for("INVITE").header("From")
    assert "201@" in shown
    assert "112" not in shown


def test_no_control_character_of_a_call_reaches_a_row_or_the_log(
    phones: Phones, worker_process: Worker, house: Env
) -> None:
    tries = (
        (f"1000%0A{LOG_LINE}%1b%5b2J", '"Ann Example"', "sip:15550100@127.0.0.1"),
        (f"raw1000%0A{LOG_LINE}%1b%5b2J", '"Ann Example"', "sip:15550100@127.0.0.1"),
        ("1000", '"Ann\x1b[2J\t\x7f\u202eExample\u2028"', "sip:15550100@127.0.0.1"),
        ("1000", '"Ann Example"', f"sip:1%0d%0a{LOG_LINE}%00%1b@127.0.0.1"),
    )
    for count, (dialed, name, from_uri) in enumerate(tries, 1):
        phones.caller(dialed, "nobody", name=name, from_uri=from_uri)
        ended_calls(house, count)
    texts = ("caller_number", "caller_name", "dialed_number", "problem", "flow", "callee")
    kept = [call[name] for call in calls(house) for name in texts]
    assert [text for text in kept if not text.isprintable()] == []
    log = worker_process.log.read_text()
    assert CONTROLS.findall(log) == []
    assert [line for line in log.splitlines() if line.startswith("2026-11-25 00:00:00,000")] == []


@pytest.fixture
def listener(asterisk: AsteriskServer, house: Env) -> Iterator[websocket.WebSocket]:
    """Another program that holds the application, as a worker does that dies a moment later."""
    url = asterisk.environment["ARI_URL"].replace("http", "ws", 1)
    socket = websocket.create_connection(
        f"{url}/events?app=callytics&api_key=callytics:{PASSWORD}", timeout=60
    )
    yield socket
    socket.close()


def test_a_worker_that_takes_up_a_waiting_call_believes_no_more_of_it(
    asterisk: AsteriskServer,
    house: Env,
    listener: websocket.WebSocket,
    tmp_path: Path,
) -> None:
    with Phones(asterisk, tmp_path) as phones:
        phones.caller(f"raw{FORGED}", "15550100")
        while json.loads(listener.recv())["type"] != "StasisStart":
            pass
        # Not before the other worker is there: without any, the call leaves the application.
        with Worker(house, tmp_path):
            (found,) = wait_until(lambda: calls(house), "the call is taken up")
            assert caller_of(found) == ("15550100", "Ann Example")


@pytest.mark.parametrize(
    "channel_id",
    [
        "1732500000.12",
        "callytics-placed-1732500000.12",
        f"callytics-placed-{'0a' * 10};2",
        f"callytics-placed-{'0a' * 10}\n",
        "callytics-placed-",
        "callytics-test-0123456789abcdef0123",
    ],
)
def test_only_the_channel_of_a_placed_call_is_believed(channel_id: str) -> None:
    assert is_placed_channel(new_placed_channel())
    assert not is_placed_channel(channel_id)
