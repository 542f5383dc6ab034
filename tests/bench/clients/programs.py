"""ARI clients to measure: the worker, and the same call path written with two libraries."""

import hashlib
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tests.bench import filling
from tests.bench.clients.call_path import CallPath
from tests.support.process import PROJECT
from tests.support.processes import Program, Worker, fresh_environment, run_flask
from tests.support.rows import rows, use_flow
from tests.support.waiting import wait_until
from worker.asterisk.event_stream import UNUSED

DESTINATION = "Local/tone1000_1@party/n"
PASSWORD = "tests-only"
PEERS = PROJECT / "tests/bench/peers"
# Calls whose last row is written, after those of their recordings.
ENDED = "SELECT count(*) AS count FROM calls WHERE ended_at IS NOT NULL"
LONGEST_WRITE_SECONDS = 120.0


class MeasuredWorker(Worker):
    """The worker, connected to a stand-in."""

    def __init__(self, folder: Path, stand_in: CallPath) -> None:
        environment = fresh_environment(folder) | {
            "ARI_URL": stand_in.url,
            "ARI_PASSWORD": PASSWORD,
            "RECORDINGS_DIR": str(stand_in.recordings),
        }
        super().__init__(environment, folder)
        run_flask(environment, "db", "upgrade")
        node = {"type": "transfer", "destination": DESTINATION, "record_call": True}
        use_flow(environment, {"desk": node})

    def finish(self, calls: int) -> None:
        """Wait until all is written of so many calls since the start."""
        wait_until(
            lambda: rows(self.environment, ENDED)[0]["count"] == calls,
            f"{calls} calls have ended",
            LONGEST_WRITE_SECONDS,
        )


class Peer(Program):
    """A program that sends the same commands as the worker and keeps nothing of the calls."""

    command = ("peer",)

    def __init__(self, folder: Path, stand_in: CallPath) -> None:
        super().__init__(fresh_environment(folder), folder)
        self._stand_in = stand_in
        self.arguments = (stand_in.url.removesuffix("ari"), PASSWORD, DESTINATION)

    def is_ready(self) -> bool:
        """Return True if it receives events."""
        return bool(self._stand_in.sockets)

    def finish(self, calls: int) -> None:
        """Nothing is left to do after the last command."""


class AsyncariPeer(Peer):
    """The call path written with asyncari."""

    name = "asyncari"

    def command_line(self) -> Sequence[str]:
        """Return the program, run by the Python of the peers."""
        python = PROJECT / ".venv/peers/bin/python"
        return (str(python), str(PEERS / "asyncari_calls.py"), *self.arguments)


class NodePeer(Peer):
    """The call path written with node-ari-client."""

    name = "node_ari_client"

    def command_line(self) -> Sequence[str]:
        """Return the program, run by node."""
        program = str(PEERS / "ari_client/calls.js")
        return ("node", program, str(node_modules()), *self.arguments, *UNUSED)


Client = MeasuredWorker | AsyncariPeer | NodePeer


def node_modules() -> Path:
    """Return the folder of the packages in package-lock.json, which are installed at first."""
    lock = PEERS / "ari_client/package-lock.json"
    version = hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    folder = filling.cache() / f"npm-{version}"
    if not (folder / "installed").exists():
        folder.mkdir(exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(PEERS / "ari_client" / name, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"]
        subprocess.run(command, cwd=folder, check=True)
        (folder / "installed").touch()
    return folder / "node_modules"
