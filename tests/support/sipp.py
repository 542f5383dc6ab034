"""Real SIP phones for tests: each is a SIPp process that follows cues.

A scenario of tests/support/sipp waits wherever a person would decide. The test sends the decision
as a cue: a MESSAGE in the phone's dialog, which the scenario takes for the next step. So no test
depends on pauses that may be too short on another machine.
"""

import itertools
import re
import shutil
import signal
import socket
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from deploy.asterisk.launch import port_is_free
from tests.support.asterisk import AsteriskServer
from tests.support.ports import free_port
from tests.support.process import Process, Server
from tests.support.rtp import speech
from tests.support.waiting import wait_until

SCENARIOS = Path(__file__).parent / "sipp"
# Longer than any test; then a forgotten phone exits by itself.
LONGEST_SECONDS = 120
SPEECH_SECONDS = 90.0
_BLOCK = re.compile(
    r"^-{20,} (?P<day>[0-9-]+)[ T\t](?P<time>[0-9:.]+)[^\n]*\n"
    r"UDP message (?P<way>sent|received)[^\n]*\n\n"
    r"(?P<text>.*?)(?=^-{20,} |\Z)",
    re.DOTALL | re.MULTILINE,
)
_cues = itertools.count(1)


@dataclass(frozen=True)
class Message:
    """SIP message from the log of a phone."""

    at: datetime
    sent: bool
    text: str

    @property
    def start(self) -> str:
        """First line."""
        return self.text.partition("\n")[0].strip()

    def header(self, name: str) -> str:
        """Return the first header of this name, or an empty text."""
        found = re.search(rf"^{name}:[ \t]*(.*?)\s*$", self.text, re.MULTILINE | re.IGNORECASE)
        return found[1] if found else ""


class Phone(Process):
    """SIPp as one phone in one call, with a folder of its own."""

    def __init__(self, asterisk: AsteriskServer, folder: Path, user: str, port: int) -> None:
        self.asterisk, self.folder, self.user, self.port = asterisk, folder, user, port
        self.name = f"SIPp of {user}"
        self.log = folder / "screen.log"
        self.message_log = folder / "messages.log"
        self.logs = (self.message_log, folder / "errors.log")
        self._arguments: tuple[str, ...] = ()
        folder.mkdir()

    def speak(self, hertz: int, seconds: float = SPEECH_SECONDS, key: str = "") -> None:
        """Set the audio after the answer: a tone, then a key."""
        (self.folder / "speech.pcap").write_bytes(speech(hertz, seconds, key))

    def play(self, scenario: str, *arguments: str) -> None:
        """Start SIPp with a scenario, and wait until a callee is ready."""
        # SIPp looks for audio beside the scenario.
        own_scenario = self.folder / f"{scenario}.xml"
        own_scenario.symlink_to(SCENARIOS / own_scenario.name)
        self._arguments = ("-sf", str(own_scenario), *arguments)
        self.start()

    def command_line(self) -> Sequence[str]:
        """Return SIPp with its scenario."""
        program = shutil.which("sipp")
        assert program, "SIPp is not installed: apt-get install sip-tester"
        command = [program, f"127.0.0.1:{self.asterisk.sip_port}", *self._arguments]
        command += ["-m", "1", "-nostdin", "-aa"]
        command += ["-i", "127.0.0.1", "-p", str(self.port), "-mi", "127.0.0.1"]
        # A cue comes from another port than Asterisk's; responses must still go to Asterisk.
        command += ["-rsa", f"127.0.0.1:{self.asterisk.sip_port}"]
        command += ["-mp", str(free_port()), "-key", "user", self.user]
        command += ["-trace_msg", "-message_file", str(self.message_log)]
        command += ["-trace_err", "-error_file", str(self.folder / "errors.log")]
        command += ["-timeout", f"{LONGEST_SECONDS}s"]
        return command

    def options(self) -> dict[str, Any]:
        """Return its folder, in which it looks for audio."""
        return {"cwd": self.folder}

    def is_ready(self) -> bool:
        """Return True if it listens."""
        return not port_is_free(self.port, socket.SOCK_DGRAM)

    def _is_ready_or_dead(self) -> bool:
        # A short call may have ended already.
        return bool(self.messages()) or super()._is_ready_or_dead()

    def messages(self, start: str = "") -> list[Message]:
        """Return the messages so far whose first line begins with `start`."""
        log = self.message_log
        text = log.read_text(errors="replace") if log.exists() else ""
        found = [
            Message(
                datetime.fromisoformat(f"{b['day']} {b['time']}"), b["way"] == "sent", b["text"]
            )
            for b in _BLOCK.finditer(text)
        ]
        return [message for message in found if message.start.startswith(start)]

    def wait_for(self, start: str) -> Message:
        """Wait for a message, sent or received, by its first line; return it."""
        return wait_until(lambda: self.messages(start), f"{self.user}: {start}")[0]

    def cue(self, what: str, refer_to: str = "") -> None:
        """Send a cue: answer, busy, decline, transfer, bye."""
        call_id = self.wait_for("INVITE").header("Call-ID")
        lines = [
            f"MESSAGE sip:{self.user}@127.0.0.1:{self.port} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-cue-{next(_cues)}",
            "From: <sip:test@127.0.0.1>;tag=test",
            f"To: <sip:{self.user}@127.0.0.1>",
            f"Call-ID: {call_id}",
            f"CSeq: {next(_cues)} MESSAGE",
            f"Subject: {what}",
            *([f"Refer-To: {refer_to}"] if refer_to else []),
            "Content-Length: 0",
        ]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto("\r\n".join([*lines, "", ""]).encode(), ("127.0.0.1", self.port))

    def answer(self) -> None:
        """Answer the call."""
        self.wait_for("SIP/2.0 180")
        self.cue("answer")
        self.wait_for("ACK")

    def refuse(self, how: str) -> None:
        """Refuse the call: "busy" (486) or "decline" (603)."""
        self.wait_for("SIP/2.0 180")
        self.cue(how)

    def hang_up(self) -> None:
        """End the call that was answered."""
        self.cue("bye")
        self.wait_for("BYE")

    def transfer(self, to: str, manner: str = "polite") -> None:
        """Transfer the other party to the user `to` by REFER, and wait until that is accepted.

        A "polite" phone hangs up after the NOTIFY of success, a "hurry" one once the REFER is
        accepted, a "stay" one never.
        """
        self.cue(f"transfer {manner}", f"<sip:{to}>")
        self.wait_for("SIP/2.0 202")

    def as_replaced(self) -> str:
        """Return the Refer-To for a REFER in another call that joins both calls."""
        answer = self.wait_for("SIP/2.0 200")
        tags = {name: answer.header(name).partition("tag=")[2] for name in ("From", "To")}
        dialog = f"{answer.header('Call-ID')};to-tag={tags['To']};from-tag={tags['From']}"
        person = re.search(r"sip:([^>]*)", answer.header("To"))
        assert person, answer.text
        return f"{person[1]}?Replaces={quote(dialog, safe='')}"

    def register(self, seconds: int = 300) -> None:
        """Register the phone with Asterisk for `seconds`; 0 unregisters it."""
        lines = [
            f"REGISTER sip:127.0.0.1:{self.asterisk.sip_port} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{{port}};branch=z9hG4bK-register-{next(_cues)}",
            f"From: <sip:{self.user}@127.0.0.1>;tag=register",
            f"To: <sip:{self.user}@127.0.0.1>",
            f"Call-ID: register-{self.port}",
            f"CSeq: {next(_cues)} REGISTER",
            f"Contact: <sip:{self.user}@127.0.0.1:{self.port}>;expires={seconds}",
            "Max-Forwards: 70",
            "Content-Length: 0",
        ]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            phone.settimeout(60)
            phone.connect(("127.0.0.1", self.asterisk.sip_port))
            text = "\r\n".join([*lines, "", ""]).format(port=phone.getsockname()[1])
            phone.send(text.encode())
            answer = phone.recv(4000).decode()
        assert answer.startswith("SIP/2.0 200"), answer

    def stop(self) -> None:
        """Stop SIPp if it has not exited with its call."""
        self.end(signal.SIGKILL)
        self.hide_logs()


class Phones(Server):
    """Phones of one test; at its end, their calls are ended."""

    def __init__(self, asterisk: AsteriskServer, folder: Path) -> None:
        self.asterisk, self.folder = asterisk, folder
        self._numbers = itertools.count(1)
        self._stack = ExitStack()

    def callee(self, user: str, hertz: int = 1000) -> Phone:
        """Return a registered phone that rings when it is called; "trunk" is the trunk's side."""
        port = self.asterisk.trunk_port if user == "trunk" else free_port()
        phone = self._phone(user, port)
        phone.speak(hertz)
        phone.play("callee")
        if user != "trunk":
            phone.register()
            self._stack.callback(phone.register, 0)
        return phone

    def caller(
        self,
        number: str = "1000",
        user: str = "15550100",
        hertz: int = 440,
        *,
        name: str = '"Ann Example"',
        from_uri: str = "",
        seconds: float = SPEECH_SECONDS,
        key: str = "",
    ) -> Phone:
        """Call `number` from a phone: a `user` of pjsip.conf, or one outside."""
        phone = self._phone(user, free_port())
        phone.speak(hertz, seconds, key)
        sender = f"{name} <{from_uri or f'sip:{user}@127.0.0.1'}>".strip()
        phone.play("caller", "-s", number, "-key", "from", sender)
        return phone

    def _phone(self, user: str, port: int) -> Phone:
        folder = self.folder / f"phone{next(self._numbers)}-{user}"
        phone = Phone(self.asterisk, folder, user, port)
        self._stack.callback(phone.stop)
        return phone

    def start(self) -> None:
        """Do nothing: there is no phone yet."""

    def stop(self) -> None:
        """End all calls and stop all phones."""
        # First, so that phones in a call get its end while they run.
        self._stack.callback(self.asterisk.hang_up_all)
        self._stack.close()
