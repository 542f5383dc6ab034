"""Stand-in for Asterisk, for faults that a real one cannot be made to have.

Its events were captured from a real one (tests/support/captured). Each line there has an event and
its cause: a command, or an action of a party. A test asks for faults; without any, a transfer call
goes from its beginning to its end.
"""

import copy
import itertools
import json
import struct
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.ari_server import CLOSE, Answer, AriServer, Command
from tests.support.tones import write_tone

CAPTURED = Path(__file__).parent / "captured/transfer.jsonl"
Event = dict[str, Any]
_NUMBERS = itertools.count(1)
# Function that returns the events to send in place of the captured ones.
Editor = Callable[[str, list[Event]], list[Event]]

GONE = Answer(404, {"message": "Channel not found"})
REFUSED = Answer(409, {"message": "Not now"})
ORIGINATOR_GONE = Answer(400, {"message": "Provided originator channel was not found"})
BROKEN = Answer(500, {"message": "Internal Server Error"})
# Longer than the worker's longest deadline.
UNANSWERED = Answer(hang=120)


@dataclass
class Fault:
    """Fault of the next command that matches `command`; `*` matches any word."""

    command: str
    answer: Answer
    # True if the command is carried out, so that only its answer is wrong.
    done: bool = False
    # If set, the command is carried out and answered once this event is set.
    until: threading.Event | None = None

    def fits(self, words: tuple[str, ...]) -> bool:
        """Return True if the fault matches this command."""
        pattern = self.command.split(" ")
        return len(pattern) == len(words) and all(
            p in ("*", w) for p, w in zip(pattern, words, strict=True)
        )


@dataclass
class StandInCall:
    """Call, with the ids for the placeholders of the captured events."""

    ari: "StandIn"
    number: str
    ids: dict[str, str] = field(default_factory=dict)

    def happens(self, what: str) -> None:
        """`call`, `callee answers`, `callee hangs up`, `caller hangs up`, `callee is busy`."""
        self.ari.play(self, what)

    def recording_ends_by_itself(self) -> None:
        """Finish the recording without a command, as on silence or a write error."""
        name = self.ids["recording"]
        self.ari.finish_file(name)
        self.ari.play(self, f"POST recordings live {name} stop")

    def says(self, event: Event) -> None:
        """Send an event of this call that is not among the captured ones."""
        self.ari.send(self.fill(event))

    def fill(self, event: Event) -> Event:
        """Return the event with this call's ids in place of the placeholders."""
        text = json.dumps(event)
        for name, value in self.ids.items():
            text = text.replace(f"{{{name}}}", value)
        return json.loads(text.replace("15551234", self.number))

    def captured(self, words: str) -> str:
        """Return a command with placeholders in place of this call's ids."""
        names = {value: f"{{{name}}}" for name, value in self.ids.items()}
        return " ".join(names.get(word, word) for word in words.split(" "))


class StandIn(AriServer):
    """Server; `channels`, `bridges` and `live` recordings are the current ones."""

    def __init__(self, recordings: Path) -> None:
        super().__init__()
        self.recordings = recordings
        self._lines = [json.loads(line) for line in CAPTURED.read_text().splitlines()]
        self.edit: Editor = lambda after, events: events
        self.info = copy.deepcopy(self._lines[0]["answer"])
        # Each stand-in is another Asterisk.
        self.info["system"]["entity_id"] = f"02:00:00:00:00:{next(_NUMBERS):02x}"
        self.writes_files = True
        self.faults: list[Fault] = []
        self.seen: list[str] = []
        self.calls: list[StandInCall] = []
        self.channels: set[str] = set()
        # Channels of each bridge.
        self.bridges: dict[str, set[str]] = {}
        self.live: dict[str, float] = {}
        self.paused: set[str] = set()
        self.last_sent_at = 0.0

    # Actions of a test

    def place_call(self, number: str) -> StandInCall:
        """Call 1000 from `number`."""
        call = StandInCall(self, number, {"caller": f"caller-{uuid.uuid4()}"})
        self.calls.append(call)
        self.channels.add(call.ids["caller"])
        call.happens("call")
        return call

    def fault(self, command: str, answer: Answer, done: bool = False) -> Fault:
        """Let the next command that matches fail."""
        fault = Fault(command, answer, done)
        self.faults.append(fault)
        return fault

    def hold(self, command: str) -> threading.Event:
        """Delay the answer to the next command that matches until the returned event is set."""
        until = threading.Event()
        self.faults.append(Fault(command, Answer(), done=True, until=until))
        return until

    def go_silent(self) -> None:
        """Send nothing more over the current connection, which stays open; a new one works."""
        for socket in self.sockets:
            socket.silent = True

    def drop_connection(self) -> None:
        """Close the connection there is; a new one is well."""
        self.sockets[-1].send("", CLOSE)

    def send(self, event: Event) -> None:
        """Send an event to the worker."""
        if self.sockets and not self.sockets[-1].silent:
            self.last_sent_at = time.time()
        super().send(event)

    def play(self, call: StandInCall, after: str) -> None:
        """Send the events that were captured after a command or an action."""
        place = call.captured(after)
        lines = [line["event"] for line in self._lines if line["after"] == place]
        events = [call.fill(event) for event in lines]
        for event in events:
            if event["type"] in ("StasisEnd", "ChannelDestroyed"):
                self.channels.discard(event["channel"]["id"])
                for channels in list(self.bridges.values()):
                    channels.discard(event["channel"]["id"])
        for event in self.edit(place, events):
            self.send(event)

    # Answers to the worker

    def answer(self, command: Command) -> Answer:
        """Carry out a command, unless a fault matches it."""
        self.seen.append(" ".join(command.words))
        fault = next((f for f in self.faults if f.fits(command.words)), None)
        if fault is not None:
            self.faults.remove(fault)
            if not fault.done:
                return fault.answer
        answer = self._carry_out(command)
        if fault is None:
            return answer
        if fault.until is None:
            return fault.answer
        fault.until.wait(60)
        return answer

    def _carry_out(self, command: Command) -> Answer:
        match command.words:
            case ("GET", "asterisk", "info"):
                return Answer(200, self.info)
            case ("PUT" | "POST", "applications", _, "eventFilter" | "subscription"):
                return Answer(200, {})
            case ("POST", "events", "user", name):
                said = json.loads(command.body or b"{}").get("variables", {})
                self.send({"type": "ChannelUserevent", "eventname": name, "userevent": said})
                return Answer()
            case ("GET", "channels"):
                there = [{"id": name, "state": "Up", "dialplan": {}} for name in self.channels]
                return Answer(200, there)
            case ("GET", "bridges"):
                there = self.bridges.items()
                return Answer(200, [{"id": b, "channels": sorted(c)} for b, c in there])
            case (_, "channels", *_):
                return self._with_channel(command)
            case (_, "bridges", *_):
                return self._with_bridge(command)
            case (method, "recordings", "live", name, *_):
                return self._with_recording(method, name, command)
        return Answer(404, {"message": "Resource not found"})

    def _with_channel(self, command: Command) -> Answer:
        method, channel_id = command.words[0], command.words[2]
        if method == "POST" and len(command.words) == 3:
            if command.query["originator"] not in self.channels:
                return ORIGINATOR_GONE
            call = self._call_of(command.query["originator"])
            uid = command.query["appArgs"].removeprefix("dialed,")
            call.ids |= {"leg": channel_id, "uid": uid, "bridge": self._bridge_of(uid)}
            self.channels.add(channel_id)
        if channel_id not in self.channels:
            return GONE
        self._play_after(command, channel_id)
        if method == "DELETE" and len(command.words) == 3:
            self.channels.discard(channel_id)
        return Answer()

    def _bridge_of(self, call_uid: str) -> str:
        return next((b for b in self.bridges if b.endswith(f"-{call_uid}")), "")

    def _with_bridge(self, command: Command) -> Answer:
        method, bridge_id = command.words[0], command.words[2]
        if method == "POST" and len(command.words) == 3:
            self.bridges[bridge_id] = set()
            return Answer(200, {"id": bridge_id})
        if bridge_id not in self.bridges:
            return Answer(404, {"message": "Bridge not found"})
        if not set(command.query.get("channel", "").split(",")) <= self.channels | {""}:
            return Answer(400, {"message": "Channel not found"})
        if "channel" in command.query:
            self.bridges[bridge_id] |= set(command.query["channel"].split(","))
        if "name" in command.query:
            self._call_of(bridge_id).ids["recording"] = command.query["name"]
            self._begin_file(command.query["name"])
        self._play_after(command, bridge_id)
        if method == "DELETE":
            self.bridges.pop(bridge_id, None)
        return Answer(201, {"state": "queued"}) if "name" in command.query else Answer()

    def _with_recording(self, method: str, name: str, command: Command) -> Answer:
        if name not in self.live:
            return Answer(404, {"message": "Recording not found"})
        if method == "GET":
            state = "paused" if name in self.paused else "recording"
            return Answer(200, {"name": name, "state": state})
        if command.words[-1] == "pause":
            (self.paused.add if method == "POST" else self.paused.discard)(name)
            return Answer()
        self.finish_file(name)
        self._play_after(command, name)
        return Answer()

    def _call_of(self, thing: str) -> StandInCall:
        return next(call for call in self.calls if thing in call.ids.values())

    def _play_after(self, command: Command, thing: str) -> None:
        for call in self.calls:
            if thing in call.ids.values():
                self.play(call, " ".join(command.words))

    # File of a recording

    def _begin_file(self, name: str) -> None:
        self.live[name] = time.monotonic()
        if self.writes_files:
            path = self.recordings / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_tone(path, 440, 1)
            with path.open("r+b") as file:
                # Until the file is closed, its header has a size of 0.
                for offset in (4, 40):
                    file.seek(offset)
                    file.write(struct.pack("<I", 0))

    def finish_file(self, name: str) -> None:
        """Close a recording's file as Asterisk does, with a tone of the recording's length."""
        seconds = time.monotonic() - self.live.pop(name)
        self.paused.discard(name)
        if self.writes_files:
            write_tone(self.recordings / f"{name}.wav", 440, max(seconds, 0.1))
