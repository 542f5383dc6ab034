"""Real PostgreSQL that tests start, stop and kill."""

import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.support.ports import kept_port
from tests.support.process import Server
from tests.support.waiting import wait_until

USER = "callytics"
# Without durability: no test survives a crash of the machine.
FAST = "-c fsync=off"
OPTIONS = "-c listen_addresses=127.0.0.1 -c max_connections=60"


class Postgres(Server):
    """PostgreSQL cluster in a folder of its own; a context manager.

    PostgreSQL refuses to run as root, so there it runs as the user `postgres` of its package.
    """

    def __init__(
        self, kept: Path | None = None, options: str = FAST, template: Path | None = None
    ) -> None:
        """Use the folder `kept`, which stays, or a new one, for a copy of `template`."""
        self._template = template
        self._owner = "postgres" if os.geteuid() == 0 else None
        self._kept = kept is not None
        self._options = options
        self.port = kept_port()
        # Not below pytest's folder, which only its owner may enter.
        self.folder = kept or Path(tempfile.mkdtemp(prefix="callytics-postgres-"))
        self.folder.mkdir(exist_ok=True)
        self.log = self.folder / "postgres.log"
        self.logs = (self.log,)
        self._databases = 0

    def url(self, database: str = "postgres") -> str:
        """Return the value for DATABASE_URL."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"

    def new_database(self, template: str = "template1") -> str:
        """Create a copy of `template`, which must have no connections; return its URL."""
        self._databases += 1
        return self.fresh_database(f"d{self._databases}", template)

    def fresh_database(self, name: str, template: str = "template1") -> str:
        """Create a copy of `template` under this name, in place of an old one; return its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {name}")
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def start(self) -> None:
        """Start it, also after a crash, and wait until it answers."""
        if not (self.folder / "data/PG_VERSION").exists():
            self._make_cluster()
        options = f"{OPTIONS} {self._options} -p {self.port} -k {self.folder}"
        self._run("pg_ctl", "-w", "-t", "120", "-l", str(self.log), "-o", options, "start")
        self.show_logs()

    def _make_cluster(self) -> None:
        if self._owner:
            shutil.chown(self.folder, self._owner)
        if self._template:
            shutil.copytree(self._template, self.folder / "data", symlinks=True)
            for path in (self.folder / "data", *(self.folder / "data").rglob("*")):
                if self._owner:
                    shutil.chown(path, self._owner, self._owner)
            return
        self._run("initdb", "--auth=trust", f"--username={USER}", "--encoding=UTF8", "--no-sync")

    def terminate(self) -> None:
        """Stop it as an administrator does, also with clients connected."""
        self._run("pg_ctl", "-w", "-t", "120", "-m", "fast", "stop")

    def kill(self) -> None:
        """Kill all its processes, as a crash does."""
        first = int((self.folder / "data/postmaster.pid").read_text().split()[0])
        group = [first, *_children(first)]
        for process in group:
            # One that served a client may have ended meanwhile.
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        wait_until(lambda: not any(map(_runs, group)), "PostgreSQL is dead")

    @property
    def runs(self) -> bool:
        """Return True if it answers."""
        try:
            psycopg.connect(self.url(), connect_timeout=10).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        """Stop it, and remove its folder unless that is kept."""
        if self._kept:
            self.terminate()
            return
        if (self.folder / "data/postmaster.pid").exists():
            self.kill()
        shutil.rmtree(self.folder)

    def _run(self, program: str, *arguments: str) -> None:
        # Not a pipe: the server would inherit it, and keep it open.
        with (self.folder / "said").open("ab") as said:
            done = subprocess.run(
                [str(_programs() / program), "-D", str(self.folder / "data"), *arguments],
                user=self._owner,
                group=self._owner,
                extra_groups=[] if self._owner else None,
                cwd=self.folder,
                stdout=said,
                stderr=said,
                check=False,
            )
        assert done.returncode == 0, f"{program}: {(self.folder / 'said').read_text()}"


def _programs() -> Path:
    """Return Debian's folder of the newest release's programs, which is not in the PATH."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: int(p.parent.name))
    assert versions, "install postgresql, as make test does"
    return versions[-1]


def _children(parent: int) -> list[int]:
    return [int(p) for p in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
