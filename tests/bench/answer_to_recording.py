"""Delay from the answer of a call to its recording, beside the least program that could do it.

From the event that says that the second party answered to `RecordingStarted`, as a third party
hears both; through the worker and through a bare script that sends the same requests, in turn.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import monotonic

import websocket

from tests.support.asterisk import PASSWORD, AsteriskServer
from tests.support.process import PROJECT
from tests.support.processes import Worker, fresh_environment, run_flask
from tests.support.rows import use_flow
from tests.support.waiting import wait_until

CALLS = 30
# Rings for a second, as a person does not answer at once either.
DESTINATION = "Local/tone1000_1@party/n"


def main() -> None:
    """Print the two medians in ms and their ratio."""
    with tempfile.TemporaryDirectory() as folder, _both(Path(folder)) as asterisk:
        observer = _observe(asterisk)
        times: dict[str, list[float]] = {"from-trunk": [], "bare": []}
        for _ in range(CALLS):
            for context, seconds in times.items():
                seconds.append(_one_call(asterisk, observer, context))
        observer.close()
    worker, bare = (median(seconds) * 1000 for seconds in times.values())
    print(f"answer_to_recording_worker_ms: {worker:.2f}")
    print(f"answer_to_recording_bare_ms: {bare:.2f}")
    print(f"answer_to_recording_ratio: {worker / bare:.2f}")


@contextmanager
def _both(folder: Path) -> Iterator[AsteriskServer]:
    """Asterisk with the worker and the bare script connected to it."""
    environment = fresh_environment(folder)
    with AsteriskServer(folder / "asterisk") as asterisk:
        environment |= asterisk.environment
        run_flask(environment, "db", "upgrade")
        node = {"type": "transfer", "destination": DESTINATION, "record_call": True}
        use_flow(environment, {"desk": node})
        with Worker(environment, folder), _bare_script(environment["ARI_URL"]):
            yield asterisk


@contextmanager
def _bare_script(url: str) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.bench.bare_transfer", url, PASSWORD, DESTINATION]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as script:
        assert script.stdout is not None
        script.stdout.readline()
        try:
            yield
        finally:
            script.kill()


def _observe(asterisk: AsteriskServer) -> websocket.WebSocket:
    url = asterisk.environment["ARI_URL"].replace("http", "ws", 1)
    query = f"app=observer&subscribeAll=true&api_key=callytics:{PASSWORD}"
    return websocket.create_connection(f"{url}/events?{query}", timeout=60)


def _one_call(asterisk: AsteriskServer, observer: websocket.WebSocket, context: str) -> float:
    """Seconds from the answer to the start of the recording of one call."""
    asterisk.place_call("1000", "tone440", context=context)
    answered = None
    while True:
        event = json.loads(observer.recv())
        if event["type"] == "ChannelStateChange" and _is_callee(event["channel"]):
            answered = monotonic()
        elif event["type"] == "RecordingStarted" and answered is not None:
            seconds = monotonic() - answered
            break
    asterisk.hang_up_all()
    wait_until(lambda: not asterisk.bridges(), "the call is over")
    return seconds


def _is_callee(channel: dict[str, str]) -> bool:
    """Our side of the Local channel that leads to the destination has been answered."""
    return (
        channel["state"] == "Up"
        and channel["name"].startswith(DESTINATION.removesuffix("/n"))
        and (channel["name"].endswith(";1"))
    )


if __name__ == "__main__":
    main()
