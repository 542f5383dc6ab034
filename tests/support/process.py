"""Servers of a test: start them, wait until they are ready, stop and kill them."""

import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from tests.support.waiting import LOGS, wait_until

PROJECT = Path(__file__).parents[2]


class Running(Protocol):
    """Started process: the part of `subprocess.Popen` that tests use."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit code."""

    def send_signal(self, number: int, /) -> None:
        """Send a signal if it still runs."""


class Server:
    """Server that a test starts and stops; a context manager."""

    # Logs whose last lines are shown if a wait times out.
    logs: tuple[Path, ...] = ()

    def start(self) -> None:
        """Start it and wait until it is ready."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop it, in any state."""
        raise NotImplementedError

    def show_logs(self) -> None:
        """Add its logs to those that are shown."""
        LOGS.extend(log for log in self.logs if log not in LOGS)

    def hide_logs(self) -> None:
        """Remove its logs from those that are shown."""
        LOGS[:] = [log for log in LOGS if log not in self.logs]

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.stop()
        finally:
            self.hide_logs()


class Process(Server):
    """Server of one process, with a log of its output."""

    name = "process"
    log: Path
    starts_within_seconds = 120.0
    process: Running | None = None

    def command_line(self) -> Sequence[str]:
        """Return the program and its arguments."""
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """Return more arguments of Popen, such as `env`."""
        return {}

    def is_ready(self) -> bool:
        """Return True if it is ready."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it, also after a stop, and wait until it is ready."""
        self.spawn()
        self.wait_until_ready()

    def spawn(self) -> None:
        """Start it."""
        options = {"cwd": PROJECT, "stdin": subprocess.DEVNULL, **self.options()}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command_line(), stdout=log, stderr=log, **options)
        self.show_logs()

    def wait_until_ready(self) -> None:
        """Wait until it is ready; fail with its log if it exits."""
        wait_until(self._is_ready_or_dead, f"the {self.name} is ready", self.starts_within_seconds)

    def _is_ready_or_dead(self) -> bool:
        assert self.process
        if self.process.poll() is not None:
            said = self.log.read_text(errors="replace")
            raise AssertionError(f"the {self.name} ended:\n{said}")
        return self.is_ready()

    def kill(self) -> None:
        """Kill it, as a crash does."""
        self.end(signal.SIGKILL)

    def terminate(self) -> int:
        """Stop it as a service manager does; return its exit code."""
        return self.end(signal.SIGTERM)

    def end(self, number: signal.Signals) -> int:
        """Send the signal and wait for the end; return the exit code."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def stop(self) -> None:
        """Stop it as a service manager does; kill it if it does not exit."""
        try:
            self.terminate()
        finally:
            self.kill()


def inherited(*without: str) -> dict[str, str]:
    """Return the environment of the tests without the variables that begin with `prefixes`."""
    return {k: v for k, v in os.environ.items() if not k.startswith(without)}
