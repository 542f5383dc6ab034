"""The real parts of a run: Asterisk with a witness, worker and database; they die and return."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import requests
from psycopg.rows import dict_row

from tests.chaos import plan
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

    def start(self) -> None:
        """Start it and wait until it is connected."""
        self.spawn()
        self.wait_until_ready()

    def is_ready(self) -> bool:
        """Return True if it is connected to the Asterisk that runs now."""
        try:
            (row,) = query(self.environment, "SELECT max(connected_at) AS at FROM pbxs")
        except psycopg.OperationalError:
            return False
        return row["at"] is not None and row["at"] >= self.since


class Scene:
    """Processes of a run, and a diary of the faults."""

    def __init__(
        self, asterisk: WatchedAsterisk, postgres: Postgres, environment: dict[str, str], log: Path
    ) -> None:
        self.asterisk, self.postgres = asterisk, postgres
        self.environment = environment
        self.worker = WorkerOnPostgres(environment, log, forked=False)
        self.kills: list[float] = []
        self.diary: list[tuple[float, str]] = []
        self._placed_at: dict[str, float] = {}
        self._asterisk_is_up = True

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
            self.asterisk.place_call(
                call.number,
                call.party,
                caller_number=call.caller_number,
                context=call.context,
                channel_id=call.channel_id,
            )
        except requests.RequestException:
            self.note(f"{call.channel_id} found no Asterisk")
        self._placed_at[call.channel_id] = time.time()

    def has_room(self, most: int) -> bool:
        """Return True if Asterisk runs and fewer than `most` callers are on the line."""
        return self._asterisk_is_up and len(self._callers()) < most

    def is_quiet(self) -> bool:
        """Return True if all calls are over."""
        try:
            return not self._callers() and not self.asterisk.channels()
        except requests.RequestException:
            return False

    def _callers(self) -> list[str]:
        try:
            there = {channel["id"] for channel in self.asterisk.channels()}
        except requests.RequestException:
            return list(self._placed_at)
        for channel_id in there & self._placed_at.keys():
            if time.time() - self._placed_at[channel_id] > PATIENCE_SECONDS:
                self.asterisk.ari("DELETE", f"channels/{channel_id}")
        return [channel_id for channel_id in self._placed_at if channel_id in there]

    # Faults

    def note(self, what: str) -> None:
        """Keep what was done, for whoever looks for the reason of a loss."""
        self.diary.append((time.time(), what))

    def suffer(self, fault: plan.Fault) -> None:
        """Let a fault happen, and be over."""
        time.sleep(fault.delay_seconds)
        for name in fault.dies:
            self._end(name)
        time.sleep(fault.away_seconds)
        for name in fault.returns:
            self._begin(name)
        self.worker.wait_until_ready()
        self.note("all is well again")

    def _end(self, name: str) -> None:
        self.note(f"{name} dies")
        if name == "worker":
            self.worker.kill()
        elif name == "asterisk":
            self._asterisk_is_up = False
            self.kills.append(time.time())
            self.asterisk.kill()
        else:
            self.postgres.terminate()

    def _begin(self, name: str) -> None:
        if name != "database":
            self.worker.since = datetime.now(UTC)
        if name == "worker":
            self.worker.spawn()
        elif name == "asterisk":
            self.asterisk.start()
            self._asterisk_is_up = True
        else:
            self.postgres.start()
        self.note(f"{name} returns")

    # The end

    def is_settled(self) -> bool:
        """Return True if the ledger has nothing open any more."""
        open_rows = "SELECT count(*) AS n FROM recordings WHERE state IN ('requested', 'recording')"
        open_calls = "SELECT count(*) AS n FROM calls WHERE ended_at IS NULL"
        return not any(query(self.environment, q)[0]["n"] for q in (open_rows, open_calls))

    def let_time_pass(self) -> None:
        """Make every file as old as if nobody had touched it for a while, since nobody does."""
        for path in self.asterisk.recordings.rglob("*.*"):
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
