"""Calls per CPU second of the worker, beside the same call path written with ARI libraries.

Each client leads the calls of a stand-in of its own, in turn with the others, so that what else
the machine does disturbs all. Counted is the CPU time of the client alone. The worker does more
than the others for it: rows, facts, journal, checksum and waveform of each call.
"""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.bench.clients.call_path import CallPath
from tests.bench.clients.programs import AsyncariPeer, Client, MeasuredWorker, NodePeer
from tests.bench.clients.usage import cpu_seconds, print_load
from tests.bench.printing import figure

CALLS, ROUNDS, AT_ONCE = 1000, 5, 20
# Before anything is counted: connections are open, code is compiled.
WARM_UP = 40
CLIENTS: tuple[type[Client], ...] = (MeasuredWorker, AsyncariPeer, NodePeer)


class Measured:
    """A client with its stand-in, and what it has done so far."""

    def __init__(self, client: Client, stand_in: CallPath) -> None:
        self._client, self._stand_in = client, stand_in
        self._calls, self.seconds = 0, 0.0

    def lead(self, calls: int) -> None:
        """Let it lead calls, and add the CPU time that it takes."""
        assert self._client.process
        before = cpu_seconds(self._client.process.pid)
        self._stand_in.take_calls(calls, AT_ONCE)
        self._calls += calls
        self._client.finish(self._calls)
        self.seconds += cpu_seconds(self._client.process.pid) - before


def main() -> None:
    """Print calls per CPU second of each, and how many times as many the worker leads."""
    with ExitStack() as stack:
        measured = {kind.name: _started(kind, stack) for kind in CLIENTS}
        for client in measured.values():
            client.lead(WARM_UP)
            client.seconds = 0.0
        for _ in range(ROUNDS):
            for client in measured.values():
                client.lead(CALLS // ROUNDS)
        print_load()
    rates = {name: CALLS / max(client.seconds, 0.01) for name, client in measured.items()}
    for name, rate in rates.items():
        figure(f"calls_per_cpu_second_{name}", rate, 1)
    for name, rate in rates.items():
        if name != MeasuredWorker.name:
            figure(f"calls_per_cpu_second_vs_{name}", rates[MeasuredWorker.name] / rate)


def _started(kind: type[Client], stack: ExitStack) -> Measured:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callytics-bench-")))
    stand_in = stack.enter_context(CallPath(folder / "recordings"))
    return Measured(stack.enter_context(kind(folder, stand_in)), stand_in)


if __name__ == "__main__":
    main()
