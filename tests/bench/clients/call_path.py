"""Stand-in for a busy Asterisk: its callees answer, its callers hang up once they are recorded."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from deploy.asterisk.installation import find_installation
from tests.support.ari_server import Answer, Command
from tests.support.stand_in import StandIn, StandInCall

LONGEST_CALL_SECONDS = 120.0
DIALED = "POST channels {leg}"
# In either order.
TALKING = ("POST bridges {bridge} addChannel", "POST bridges {bridge} record")
OVER = "DELETE bridges {bridge}"


class CallPath(StandIn):
    """Stand-in that carries out one call path again and again; also serves Asterisk's documents.

    A client has to create the bridge, dial, answer the caller, join both, record the bridge, and
    after the caller's hang-up stop the recording, hang up the callee and delete the bridge.
    """

    def __init__(self, recordings: Path) -> None:
        super().__init__(recordings)
        # False for calls that stay until `hang_up`.
        self.callers_hang_up = True
        self._documents = find_installation().data / "rest-api"
        self._disallowed: frozenset[str] = frozenset()
        self.edit = lambda after, events: [
            event for event in events if event["type"] not in self._disallowed
        ]
        # Of all calls: many at once would otherwise change what another thread goes through.
        self._changing = threading.RLock()
        self._talks: set[tuple[str, str]] = set()
        self._places = threading.Semaphore(0)
        self._recorded = threading.Semaphore(0)
        # Asterisk's next event comes after the answer to the command, so in a thread of its own.
        self._next: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def start(self) -> None:
        """Start answering, and playing the parties."""
        super().start()
        threading.Thread(target=self._play_parties, daemon=True).start()

    def take_calls(self, count: int, at_once: int) -> None:
        """Place `count` calls, up to `at_once` at a time, and wait until the client ended all."""
        for number in range(count):
            if number >= at_once:
                self._wait(self._places, "ended")
            self.place_call(f"1555{number:04}")
        for _ in range(min(count, at_once)):
            self._wait(self._places, "ended")

    def hold_calls(self, count: int, at_once: int) -> None:
        """Place `count` calls that stay, and wait until all of them are recorded."""
        self.callers_hang_up = False
        for number in range(count):
            if number >= at_once:
                self._wait(self._recorded, "recorded")
            self.place_call(f"1555{number:04}")
        for _ in range(min(count, at_once)):
            self._wait(self._recorded, "recorded")

    def _wait(self, semaphore: threading.Semaphore, what: str) -> None:
        if not semaphore.acquire(timeout=LONGEST_CALL_SECONDS):
            raise SystemExit(f"a call was not {what}; the last commands were {self.seen[-20:]}")

    def _play_parties(self) -> None:
        while True:
            act = self._next.get()
            with self._changing:
                act()

    def play(self, call: StandInCall, after: str) -> None:
        """Send the captured events, and let the party act whose turn it is then."""
        super().play(call, after)
        place = call.captured(after)
        if place == DIALED:
            self._next.put(lambda: call.happens("callee answers"))
        elif place in TALKING:
            self._joined_or_recorded(call, place)
        elif place == OVER:
            # Without those that are over, each command is looked up in the same time.
            self.calls = [other for other in self.calls if other is not call]
            self._places.release()

    def _joined_or_recorded(self, call: StandInCall, place: str) -> None:
        self._talks.add((call.ids["caller"], place))
        if not all((call.ids["caller"], other) in self._talks for other in TALKING):
            return
        if self.callers_hang_up:
            self._next.put(lambda: call.happens("caller hangs up"))
        else:
            self._recorded.release()

    def place_call(self, number: str) -> StandInCall:
        """Call 1000 from `number`."""
        with self._changing:
            return super().place_call(number)

    def answer(self, command: Command) -> Answer:
        """Carry out a command; one at a time."""
        with self._changing:
            return super().answer(command)

    def _carry_out(self, command: Command) -> Answer:
        if command.words[:2] == ("GET", "api-docs"):
            return Answer(200, self._document(command.words[2]))
        if command.words[-1] == "eventFilter":
            asked = json.loads(command.body)["disallowed"]
            self._disallowed = frozenset(event["type"] for event in asked)
        answer = super()._carry_out(command)
        if answer.status >= 400:
            return answer
        # As Asterisk answers these: a client may make an object of it.
        match command.words:
            case ("POST", "channels", channel_id):
                return Answer(200, self._channel(channel_id))
            case ("POST", "bridges", bridge_id, "record"):
                values = {"name": command.query["name"], "format": "wav", "state": "queued"}
                return Answer(201, {**values, "target_uri": f"bridge:{bridge_id}"})
        return answer

    def caller_channel(self) -> dict[str, Any]:
        """Return a caller's channel as Asterisk describes it, with a placeholder for its id."""
        return next(line["event"]["channel"] for line in self._lines if line["after"] == "call")

    def _channel(self, channel_id: str) -> dict[str, Any]:
        dial = next(line["event"] for line in self._lines if line["after"] == DIALED)
        return self._call_of(channel_id).fill(dial)["peer"]

    def _document(self, name: str) -> dict[str, Any]:
        values = json.loads((self._documents / name).read_text())
        return {**values, "basePath": self.url}
