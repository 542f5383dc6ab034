"""Worker with a stand-in for Asterisk, and calls between them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.processes import Worker
from tests.support.rows import recordings, rows, use_flow
from tests.support.stand_in import StandIn, StandInCall
from tests.support.waiting import wait_until

DESK = {"type": "transfer", "destination": "PJSIP/desk", "ring_seconds": 20, "record_call": True}
Row = dict[str, object]


@dataclass(frozen=True)
class Stage:
    """Stand-in and worker; the caller's number identifies a call."""

    ari: StandIn
    worker: Worker
    environment: dict[str, str]

    def call_row(self, call: StandInCall) -> Row | None:
        """Return the row of a call."""
        query = f"SELECT * FROM calls WHERE caller_number = '{call.number}'"
        return next(iter(rows(self.environment, query)), None)

    def recordings_of(self, call: StandInCall) -> list[Row]:
        """Return its recordings, oldest first."""
        found = recordings(self.environment)
        return [row for row in found if row["caller_number"] == call.number]

    def has_ended(self, call: StandInCall) -> Row | None:
        """Return the row of a call if it has ended."""
        row = self.call_row(call)
        return row if row and row["ended_at"] else None

    def wait_for_end(self, call: StandInCall) -> Row:
        """Wait until a call has ended and return its row."""
        # Longer than two timeouts of commands.
        return wait_until(lambda: self.has_ended(call), f"call {call.number} has ended", 180)

    def is_settled(self, call: StandInCall) -> bool:
        """Return True if both parties are joined, and the recording has started or failed."""
        row = self.call_row(call)
        decided = [r for r in self.recordings_of(call) if r["state"] != "requested"]
        return bool(row and row["answered_at"] and decided)

    def connect(self, call: StandInCall) -> None:
        """Let the callee ring and answer; wait until both talk, if the fault permits it."""
        wait_until(lambda: "leg" in call.ids or self.has_ended(call), "the desk rings")
        if call.ids.get("leg") in self.ari.channels:
            call.happens("callee answers")
        wait_until(lambda: self.is_settled(call) or self.has_ended(call), "they talk", 120)

    def talk(self, call: StandInCall) -> Row:
        """Make a call that its caller ends; return its row."""
        self.connect(call)
        if call.ids["caller"] in self.ari.channels:
            call.happens("caller hangs up")
        return self.wait_for_end(call)

    def nothing_is_left(self) -> bool:
        """Return True if there is no channel, bridge or live recording."""
        return not (self.ari.channels or self.ari.bridges or self.ari.live)

    def check_that_all_is_well(self, number: str) -> None:
        """Fail if anything is left over, or if a new call is not connected and recorded."""
        wait_until(self.nothing_is_left, "nothing is left")
        call = self.ari.place_call(number)
        assert self.talk(call)["disposition"] == "answered"
        (recording,) = self.recordings_of(call)
        assert (recording["state"], recording["state_reason"]) == ("available", "")
        wait_until(self.nothing_is_left, "nothing is left")


@contextmanager
def set_stage(environment: dict[str, str], folder: Path) -> Iterator[Stage]:
    """Publish a flow that transfers and records number 1000."""
    use_flow(environment, {"desk": DESK})
    with StandIn(Path(environment["RECORDINGS_DIR"])) as ari:
        environment["ARI_URL"] = ari.url
        with Worker(environment, folder) as worker:
            yield Stage(ari, worker, environment)
            assert "Traceback" not in worker.log.read_text()
