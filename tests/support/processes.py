"""Real processes of the program for tests: worker, web, command line."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import requests

from tests.support.fork_server import ForkServer
from tests.support.ports import free_port
from tests.support.process import PROJECT, Process, inherited

# Function that makes an installation with an empty database in a folder; returns its environment.
Install = Callable[[Path], dict[str, str]]
# Fork servers by the names of their programs; conftest.py starts them, benchmarks use none.
FORK_SERVERS: dict[str, ForkServer] = {}
# A developer's variables must not affect a test.
OWN_VARIABLES = (
    "DATABASE_URL",
    "ARI_",
    "RECORDINGS_DIR",
    "PBX_NAME",
    "SECRET_KEY",
    "BIND",
    "PORT",
    "WEB_CONCURRENCY",
)


def fresh_environment(folder: Path) -> dict[str, str]:
    """Return all variables of a new installation in `folder`: SQLite, no Asterisk."""
    for name in ("instance", "recordings"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    return {
        **inherited(*OWN_VARIABLES),
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
    """Run `flask <arguments>` with `text` as its input; fail with its output if it fails."""
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


class Program(Process):
    """Process of the program; a context manager."""

    command: tuple[str, ...] = ()
    python = sys.executable

    def __init__(self, environment: dict[str, str], folder: Path, *, forked: bool = True) -> None:
        """`forked` is False for a test of the start itself, which includes the imports."""
        self._forked = forked
        self.environment = environment
        self.log = folder / f"{self.name}.log"
        self.logs = (self.log,)

    def command_line(self) -> Sequence[str]:
        """Return the module that Python is to run."""
        return (self.python, "-m", *self.command)

    def options(self) -> dict[str, Any]:
        """Return its environment."""
        return {"env": self.environment}

    def spawn(self) -> None:
        """Start it, by a fork server if there is one."""
        server = FORK_SERVERS.get(self.command[0]) if self._forked else None
        # A program with another folder or import path has to import its modules itself.
        usual = self.options() == {"env": self.environment}
        usual = usual and self.environment.get("PYTHONPATH") == os.environ.get("PYTHONPATH")
        if server is None or not usual:
            super().spawn()
            return
        self.log.touch()
        self.process = server.spawn(list(self.command[1:]), self.environment, self.log)
        self.show_logs()


class Worker(Program):
    """`python -m worker`; ready when its row says that it is connected."""

    name = "worker"
    command = ("worker",)

    def start(self) -> None:
        """Start it; the row of an earlier worker does not count."""
        self._before = self._connected_at()
        super().start()

    def is_ready(self) -> bool:
        """Return True if this worker, not an earlier one, is connected to Asterisk."""
        return self._connected_at() not in (None, self._before)

    def _connected_at(self) -> str | None:
        path = self.environment["DATABASE_URL"].removeprefix("sqlite:///")
        connection = sqlite3.connect(path, timeout=30)
        try:
            return connection.execute("SELECT max(connected_at) FROM pbxs").fetchone()[0]
        finally:
            connection.close()


class Web(Program):
    """gunicorn as in the Procfile."""

    name = "web"
    command = ("gunicorn", "--config", "deploy/gunicorn_settings.py", "app:app")

    @property
    def url(self) -> str:
        """Address, without a slash at its end."""
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def is_ready(self) -> bool:
        """Return True if it answers."""
        try:
            return requests.get(f"{self.url}/healthz", timeout=10).ok
        except (requests.ConnectionError, requests.Timeout):
            return False
