"""Servers of a test: started, waited for until they are ready or dead, stopped and killed."""

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
    """Process started by a test: the part of `subprocess.Popen` that tests use."""

    pid: int

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit code."""

    def send_signal(self, number: int, /) -> None:
        """Send a signal if it still runs."""


class Server:
    """Anything that a test starts and stops; `with Server() as server: ...`."""

    # Logs whose ends are shown when something is waited for in vain.
    logs: tuple[Path, ...] = ()

    def start(self) -> None:
        """Start it and wait until it does its work."""
        raise NotImplementedError

    def stop(self) -> None:
        """End it, in whatever state it is."""
        raise NotImplementedError

    def show_logs(self) -> None:
        """Show its logs from now on."""
        LOGS.extend(log for log in self.logs if log not in LOGS)

    def hide_logs(self) -> None:
        """Show its logs no longer."""
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
    """A server that is one process, with a log of all that it prints."""

    name = "process"
    log: Path
    starts_within_seconds = 120.0
    process: Running | None = None

    def command_line(self) -> Sequence[str]:
        """Return the program and its arguments."""
        raise NotImplementedError

    def options(self) -> dict[str, Any]:
        """Return what else Popen is to be told, such as `env`."""
        return {}

    def is_ready(self) -> bool:
        """True if it does its work."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until it does its work. After an end, the same again."""
        self.spawn()
        self.wait_until_ready()

    def spawn(self) -> None:
        """Start it."""
        options = {"cwd": PROJECT, "stdin": subprocess.DEVNULL, **self.options()}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command_line(), stdout=log, stderr=log, **options)
        self.show_logs()

    def wait_until_ready(self) -> None:
        """Wait until it does its work; fail with its log when it ends instead."""
        wait_until(self._is_ready_or_dead, f"the {self.name} is ready", self.starts_within_seconds)

    def _is_ready_or_dead(self) -> bool:
        assert self.process
        if self.process.poll() is not None:
            said = self.log.read_text(errors="replace")
            raise AssertionError(f"the {self.name} ended:\n{said}")
        return self.is_ready()

    def kill(self) -> None:
        """End it as a crash does."""
        self.end(signal.SIGKILL)

    def terminate(self) -> int:
        """End it as a service manager does; return its exit code."""
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
        """End it as a service manager does, and by force if it does not end."""
        try:
            self.terminate()
        finally:
            self.kill()


def inherited(*without: str) -> dict[str, str]:
    """Return the environment of the tests, less the variables that begin with one of these."""
    return {k: v for k, v in os.environ.items() if not k.startswith(without)}
