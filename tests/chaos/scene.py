"""The real parts of a run: Asterisk with a witness, worker and database; they die and return."""

import json
import os
import time
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import requests
from psycopg.rows import dict_row

from tests.chaos import plan
from tests.chaos.wire import Wire
from tests.support.asterisk import AsteriskServer
from tests.support.postgres import Postgres
from tests.support.process import PROJECT
from tests.support.processes import Worker, run_flask
from tests.support.waiting import wait_until

# The account is written by cel_custom; newer releases of it need the first.
MODULES = ("res_cdrel_custom", "cel_custom", "app_celgenuserevent", "app_waitforsilence")
# A caller for whom nothing happens any more puts the phone down.
PATIENCE_SECONDS = 40.0
# What was written a moment ago is reconciled only when it has been still for two minutes.
LOOK_AGAIN_SECONDS = 15.0
A_WHILE_SECONDS = 300.0


class WatchedAsterisk(AsteriskServer):
    """An Asterisk that keeps an account of its own, and a fallback that speaks a tone."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.includes += (PROJECT / "tests/chaos/asterisk").glob("*.conf")
        self.account = home / "log/cel-custom/witness.csv"
        self.account.parent.mkdir(parents=True)
        self.add_tone(plan.PROMPT_HERTZ, 0.5)

    def start(self) -> None:
        """Start it, witness and all."""
        super().start()
        for module in MODULES:
            self.ari("POST", f"asterisk/modules/{module}.so")
        for module in MODULES[1:]:
            assert self.ari("GET", f"asterisk/modules/{module}.so").ok, module
        fallback = {"variable": "FALLBACK", "value": plan.party(f"tone{plan.FALLBACK_HERTZ}")}
        assert self.ari("POST", "asterisk/variable", params=fallback).ok


class WorkerOnPostgres(Worker):
    """A worker whose row is looked for in PostgreSQL, which may be away."""

    # What it said of its connection before this time is not believed.
    since = datetime.now(UTC)
    # Where to look: its own way to the database may be cut.
    database: dict[str, str]

    def start(self) -> None:
        """Start it and wait until it is connected."""
        self.spawn()
        self.wait_until_ready()

    def is_ready(self) -> bool:
        """Return True if it is connected to the Asterisk that runs now."""
        statement = "SELECT max(connected_at) AS at FROM pbxs"
        if name := self.environment.get("PBX_NAME"):
            statement += f" WHERE name = '{name}'"
        try:
            (row,) = query(self.database, statement)
        except psycopg.OperationalError:
            return False
        return row["at"] is not None and row["at"] >= self.since


class ChaoticPbx:
    """An Asterisk and its worker, and where there are several also the network between them."""

    def __init__(self, asterisk: WatchedAsterisk, environment: dict[str, str], log: Path) -> None:
        """`environment` is that of an installation; its database may be reached by a wire."""
        self.asterisk = asterisk
        self.worker = WorkerOnPostgres({**environment, **asterisk.environment}, log, forked=False)
        self.worker.database = environment
        # When its Asterisk was killed.
        self.kills: list[float] = []
        self.is_up = True
        self.wires: dict[str, Wire] = {}

    def add_wires(self, name: str, stack: ExitStack) -> None:
        """Let the worker, whose PBX is called `name`, reach both servers by wires."""
        url = self.worker.database["DATABASE_URL"]
        port = urlsplit(url).port
        assert port
        to_database = stack.enter_context(Wire(port))
        to_asterisk = stack.enter_context(Wire(self.asterisk.http_port))
        self.wires = dict(zip(plan.NETWORKS, (to_database, to_asterisk), strict=True))
        self.worker.environment |= {
            "PBX_NAME": name,
            "DATABASE_URL": url.replace(f":{port}/", f":{to_database.port}/"),
            "ARI_URL": f"http://127.0.0.1:{to_asterisk.port}/ari",
        }


class Scene:
    """Processes of a run, and a diary of the faults."""

    def __init__(
        self, pbxs: Sequence[ChaoticPbx], postgres: Postgres, environment: dict[str, str]
    ) -> None:
        self.pbxs, self.postgres = pbxs, postgres
        self.environment = environment
        self.diary: list[tuple[float, str]] = []
        self._placed_at: dict[str, float] = {}

    @property
    def recordings(self) -> Path:
        """The folder of the recordings, which all PBXs share."""
        return Path(self.environment["RECORDINGS_DIR"])

    def set_up(self) -> None:
        """Flows and settings, as an administrator makes them."""
        flows = {
            f"f{number}": {"numbers": [number], "start": "start", "nodes": nodes}
            for number, nodes in plan.FLOWS.items()
        }
        document = json.dumps({"queues": plan.QUEUES, "flows": flows})
        run_flask(self.environment, "flows", "import", "-", text=document)
        for key, value in plan.SETTINGS.items():
            run_flask(self.environment, "settings", "set", key, value)

    # Calls

    def place(self, call: plan.Call) -> None:
        """Let somebody call. That Asterisk dies in this instant is no error."""
        try:
            self.pbxs[call.pbx].asterisk.place_call(
                call.number,
                call.party,
                caller_number=call.caller_number,
                context=call.context,
                channel_id=call.channel_id,
            )
        except requests.RequestException:
            self.note(f"{call.channel_id} found no Asterisk")
        self._placed_at[call.channel_id] = time.time()

    def has_room(self, call: plan.Call, most: int) -> bool:
        """Return True if the PBX of a call runs, and fewer than `most` callers are on the line."""
        up = [pbx for pbx in self.pbxs if pbx.is_up]
        there = [name for pbx in up for name in self._callers(pbx)]
        return self.pbxs[call.pbx].is_up and len(there) < most

    def is_quiet(self) -> bool:
        """Return True if all calls are over."""
        try:
            return not any(self._callers(pbx) or pbx.asterisk.channels() for pbx in self.pbxs)
        except requests.RequestException:
            return False

    def _callers(self, pbx: ChaoticPbx) -> list[str]:
        try:
            there = {channel["id"] for channel in pbx.asterisk.channels()}
        except requests.RequestException:
            return list(self._placed_at)
        for channel_id in there & self._placed_at.keys():
            if time.time() - self._placed_at[channel_id] > PATIENCE_SECONDS:
                pbx.asterisk.ari("DELETE", f"channels/{channel_id}")
        return [channel_id for channel_id in self._placed_at if channel_id in there]

    # Faults

    def note(self, what: str) -> None:
        """Keep what was done, for whoever looks for the reason of a loss."""
        self.diary.append((time.time(), what))

    def suffer(self, fault: plan.Fault) -> None:
        """Let a fault happen, and be over."""
        pbx = self.pbxs[fault.pbx]
        time.sleep(fault.delay_seconds)
        for name in fault.dies:
            self._end(pbx, name)
        time.sleep(fault.away_seconds)
        for name in fault.returns:
            self._begin(pbx, name)
        for other in self.pbxs:
            other.worker.wait_until_ready()
        self.note("all is well again")

    def _end(self, pbx: ChaoticPbx, name: str) -> None:
        self.note(f"{self._of(pbx, name)} dies")
        if name == "worker":
            pbx.worker.kill()
        elif name == "asterisk":
            pbx.is_up = False
            pbx.kills.append(time.time())
            pbx.asterisk.kill()
        elif name in pbx.wires:
            pbx.wires[name].cut()
        else:
            self.postgres.terminate()

    def _begin(self, pbx: ChaoticPbx, name: str) -> None:
        if name in ("worker", "asterisk"):
            pbx.worker.since = datetime.now(UTC)
        if name == "worker":
            pbx.worker.spawn()
        elif name == "asterisk":
            pbx.asterisk.start()
            pbx.is_up = True
        elif name in pbx.wires:
            pbx.wires[name].mend()
        else:
            self.postgres.start()
        self.note(f"{self._of(pbx, name)} returns")

    def _of(self, pbx: ChaoticPbx, name: str) -> str:
        several = len(self.pbxs) > 1 and name != "database"
        return f"{name} of PBX {self.pbxs.index(pbx)}" if several else name

    # The end

    def is_settled(self) -> bool:
        """Return True if the ledger has nothing open any more."""
        open_rows = "SELECT count(*) AS n FROM recordings WHERE state IN ('requested', 'recording')"
        open_calls = "SELECT count(*) AS n FROM calls WHERE ended_at IS NULL"
        return not any(query(self.environment, q)[0]["n"] for q in (open_rows, open_calls))

    def let_time_pass(self) -> None:
        """Make every file as old as if nobody had touched it for a while, since nobody does."""
        for path in self.recordings.rglob("*.*"):
            then = path.stat().st_mtime - A_WHILE_SECONDS
            os.utime(path, (then, then))

    def reconcile(self) -> str:
        """Run `flask recordings reconcile` until it leaves nothing for later; what it said last."""

        def said() -> str:
            words = run_flask(self.environment, "recordings", "reconcile").stdout
            if "left to it" in words or "still being recorded" in words:
                time.sleep(LOOK_AGAIN_SECONDS)
                return ""
            return words

        return wait_until(said, "reconcile leaves nothing for later", seconds=300)


def query(environment: dict[str, str], statement: str) -> list[dict[str, Any]]:
    """Rows of the database, as anybody could read them."""
    with psycopg.connect(environment["DATABASE_URL"], row_factory=dict_row) as connection:
        return connection.execute(statement).fetchall()
