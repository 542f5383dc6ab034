"""CPU time of the worker beside that of Asterisk, with as many recorded bridges as both bear."""

import os
import tempfile
from pathlib import Path
from time import monotonic

from tests.bench.clients.programs import DESTINATION
from tests.bench.clients.usage import cpu_seconds, print_load
from tests.bench.printing import figure
from tests.support.asterisk import AsteriskServer
from tests.support.processes import Worker, fresh_environment, run_flask
from tests.support.rows import recordings, recordings_in, use_flow
from tests.support.waiting import wait_until

STEP, MOST = 5, 100
# A call that is set up more slowly than this shows that the machine has no time left.
SETUP_SECONDS = 5.0
# As long as two people talk after the last one of the bridges was made.
TALK_SECONDS = 20.0
LONGEST_SECONDS = 120.0


def main() -> None:
    """Print how many bridges there were, and the ratio."""
    with tempfile.TemporaryDirectory(prefix="callytics-bench-") as name:
        folder = Path(name)
        environment = fresh_environment(folder)
        with AsteriskServer(folder / "asterisk") as asterisk:
            environment |= asterisk.environment
            run_flask(environment, "db", "upgrade")
            node = {"type": "transfer", "destination": DESTINATION, "record_call": True}
            use_flow(environment, {"desk": node})
            with Worker(environment, folder) as worker:
                _measure(asterisk, worker, environment)


def _measure(asterisk: AsteriskServer, worker: Worker, environment: dict[str, str]) -> None:
    assert asterisk.process and worker.process
    pids = worker.process.pid, asterisk.process.pid
    before = [cpu_seconds(pid) for pid in pids]
    count = 0
    while count < MOST and _add_bridges(asterisk, environment, count) < SETUP_SECONDS:
        count += STEP
        if _load_of(pids[1]) > 0.8 * (os.cpu_count() or 1):
            break
    talked_from = monotonic()
    wait_until(lambda: monotonic() - talked_from > TALK_SECONDS, "they talked", LONGEST_SECONDS)
    asterisk.hang_up_all()
    total = len(recordings(environment))
    recordings_in(environment, "available", total)
    of_worker, of_asterisk = (
        cpu_seconds(pid) - start for pid, start in zip(pids, before, strict=True)
    )
    figure("recorded_bridges", total, 0)
    figure("worker_cpu_vs_asterisk_cpu", of_worker / max(of_asterisk, 0.01), 3)
    print_load()


def _add_bridges(asterisk: AsteriskServer, environment: dict[str, str], count: int) -> float:
    """Place some more calls; return the seconds until all of them are recorded."""
    began = monotonic()
    for _ in range(STEP):
        asterisk.place_call("1000", "tone440")
    recordings_in(environment, "recording", count + STEP)
    return monotonic() - began


def _load_of(pid: int) -> float:
    """Return how many CPUs a process keeps busy at present."""
    before, began = cpu_seconds(pid), monotonic()
    wait_until(lambda: monotonic() - began > 1, "a second is over")
    return (cpu_seconds(pid) - before) / (monotonic() - began)


if __name__ == "__main__":
    main()
