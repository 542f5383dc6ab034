"""The program's own processes, as real ones, for tests: the worker, the web, the command line."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import requests

from tests.support.asterisk import PROJECT, free_port
from tests.support.waiting import LOGS, wait_until

# What a developer has in their shell must not decide about a test.
OWN_VARIABLES = ("DATABASE_URL", "ARI_", "RECORDINGS_DIR", "SECRET_KEY", "PORT", "WEB_CONCURRENCY")


def fresh_environment(folder: Path) -> dict[str, str]:
    """Every variable the program reads, for a new installation in `folder`: SQLite, no Asterisk."""
    for name in ("instance", "recordings"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(OWN_VARIABLES)}
    return {
        **inherited,
        "DATABASE_URL": f"sqlite:///{folder}/callytics.db",
        "ARI_URL": f"http://127.0.0.1:{free_port()}/ari",
        "ARI_USERNAME": "callytics",
        "ARI_PASSWORD": "nobody-is-there",
        "ARI_APP": "callytics",
        "RECORDINGS_DIR": str(folder / "recordings"),
        "CALLYTICS_INSTANCE": str(folder / "instance"),
        "SECRET_KEY": "tests-only",
        "PORT": str(free_port()),
        "WEB_CONCURRENCY": "1",
    }


def run_flask(
    environment: dict[str, str], *arguments: str, text: str = "", check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run `flask <arguments>` with `text` as its input; a failure fails the test with its words."""
    done = subprocess.run(
        [sys.executable, "-m", "flask", *arguments],
        cwd=PROJECT,
        env=environment,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    if check:
        assert done.returncode == 0, f"flask {' '.join(arguments)}:\n{done.stdout}{done.stderr}"
    return done


class Process:
    """One process of the program; `with Worker(environment, folder) as worker: ...`."""

    name = "process"
    command: tuple[str, ...] = ()
    python = sys.executable

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.environment = environment
        self.log = folder / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it does its work."""
        self.spawn()
        self.wait_until_ready()

    def spawn(self) -> None:
        """Start it."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [self.python, "-m", *self.command],
                cwd=PROJECT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        if self.log not in LOGS:
            LOGS.append(self.log)

    def wait_until_ready(self) -> None:
        """Wait until it does its work."""
        wait_until(self._ready_or_dead, f"the {self.name} is ready", seconds=120)

    def _ready_or_dead(self) -> bool:
        assert self.process
        if self.process.poll() is not None:
            raise AssertionError(f"the {self.name} ended:\n{self.log.read_text()}")
        return self.is_ready()

    def is_ready(self) -> bool:
        """Whether it does its work."""
        raise NotImplementedError

    def kill(self) -> None:
        """End it as a crash does."""
        self.end(signal.SIGKILL)

    def terminate(self) -> int:
        """End it as a service manager does; return its exit code."""
        return self.end(signal.SIGTERM)

    def end(self, number: signal.Signals) -> int:
        """Send the signal and wait for the end."""
        if self.process is None:
            return 0
        self.process.send_signal(number)
        code = self.process.wait(timeout=60)
        self.process = None
        return code

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.terminate()
        finally:
            self.kill()
            LOGS.remove(self.log)


class Worker(Process):
    """`python -m worker`; ready when its row says that it is connected."""

    name = "worker"
    command = ("worker",)

    def start(self) -> None:
        """Start it; a row that an earlier one left is not taken for this one's."""
        self._before = self._connected_at()
        super().start()

    def is_ready(self) -> bool:
        """Whether this worker, not an earlier one, has a connection to Asterisk."""
        return self._connected_at() not in (None, self._before)

    def _connected_at(self) -> str | None:
        path = self.environment["DATABASE_URL"].removeprefix("sqlite:///")
        connection = sqlite3.connect(path, timeout=30)
        try:
            return connection.execute("SELECT max(connected_at) FROM workers").fetchone()[0]
        finally:
            connection.close()


class Web(Process):
    """gunicorn as in the Procfile; `url` has no slash at its end."""

    name = "web"
    command = ("gunicorn", "--config", "deploy/gunicorn_settings.py", "app:app")

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            return requests.get(f"{self.url}/healthz", timeout=10).ok
        except (requests.ConnectionError, requests.Timeout):
            return False
