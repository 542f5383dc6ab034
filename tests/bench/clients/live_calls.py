"""Memory of the worker per 1,000 live calls, and the events that it takes while they are there."""

import json
import tempfile
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path

from tests.bench.clients.call_path import CallPath
from tests.bench.clients.programs import MeasuredWorker
from tests.bench.clients.usage import cpu_seconds, print_load, resident_mb
from tests.bench.printing import figure
from tests.support.waiting import wait_until

LIVE, AT_ONCE = 1000, 20
EVENTS = 50_000
WARM_UP = 40
# An event of a channel that every call gets and none has to act on.
DIGIT = {"type": "ChannelDtmfReceived", "timestamp": "2026-11-22T09:45:58.000+0000", "digit": "1"}


def main() -> None:
    """Print MB per 1,000 live calls, and events per second of one CPU."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callytics-bench-")))
        stand_in = stack.enter_context(CallPath(folder / "recordings"))
        worker = stack.enter_context(MeasuredWorker(folder, stand_in))
        _measure(worker, stand_in)
        # Killed, not stopped: nothing is left of the calls in any case.
        worker.kill()


def _measure(worker: MeasuredWorker, stand_in: CallPath) -> None:
    assert worker.process
    pid = worker.process.pid
    stand_in.take_calls(WARM_UP, AT_ONCE)
    worker.finish(WARM_UP)
    before = resident_mb(pid)
    stand_in.hold_calls(LIVE, AT_ONCE)
    figure("memory_mb_per_1000_live_calls", (resident_mb(pid) - before) * 1000 / LIVE, 1)
    # From this rate on, the reader falls behind: it has a whole CPU, and no time left.
    figure("events_per_second", EVENTS / max(_seconds_of_events(pid, stand_in), 0.01), 0)
    print_load()


def _seconds_of_events(pid: int, stand_in: CallPath) -> float:
    """Return the CPU time in which the worker receives and applies the events of live calls."""
    texts = [_digit_of(stand_in, call.ids["caller"]) for call in stand_in.calls]
    before = cpu_seconds(pid)
    for text in islice(cycle(texts), EVENTS):
        stand_in.send_text(text)
    # Events are applied in order, so a call that begins after them shows that none is left.
    last = stand_in.place_call("15559999")
    own = f"POST channels {last.ids['caller']} ring"
    wait_until(lambda: own in stand_in.seen[-1000:], "the last event is applied", 120)
    return cpu_seconds(pid) - before


def _digit_of(stand_in: CallPath, channel_id: str) -> str:
    channel = {**stand_in.caller_channel(), "id": channel_id}
    return json.dumps({**DIGIT, "channel": channel, "application": "callytics"})


if __name__ == "__main__":
    main()
