"""Real Asterisk for tests, with a folder and ports of its own, and parties that speak tones."""

import signal
import subprocess
import sys
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from deploy.asterisk.installation import find_installation
from tests.support.ports import kept_port
from tests.support.process import PROJECT, Process, inherited
from tests.support.tones import write_tone
from tests.support.waiting import wait_until

PASSWORD = "tests-only"


@dataclass(frozen=True)
class PlacedCall:
    """Call from outside; `channel_id` is the channel of the caller, whom the dialplan plays."""

    asterisk: "AsteriskServer"
    channel_id: str

    def is_up(self) -> bool:
        """Return True if the caller is still on the line."""
        return self.asterisk.ari("GET", f"channels/{self.channel_id}").ok

    def hang_up(self) -> None:
        """Hang up as the caller; a call that has ended already is no error."""
        self.asterisk.ari("DELETE", f"channels/{self.channel_id}")


class AsteriskServer(Process):
    """Asterisk with the sample configuration; a context manager.

    The trunk of the sample pjsip.conf leads to `trunk_port` (UDP); its phones have to register.
    Sounds "tone<hertz>" are made by `add_tone`. Dialplan parties: tests/support/dialplan.
    """

    name = "Asterisk"

    def __init__(self, home: Path) -> None:
        self.home = home
        self.sounds = home / "sounds"
        self.http_port = kept_port()
        self.sip_port = kept_port()
        self.trunk_port = kept_port()
        self.log = home / "output.log"
        self.logs = (self.log,)
        # Configuration beside the samples.
        self.includes = [PROJECT / "tests/support/dialplan/extensions_local.conf"]
        self._session = requests.Session()
        self._session.auth = ("callytics", PASSWORD)
        self.use_recordings(home / "recordings")
        (self.sounds / "moh").mkdir(parents=True)
        # 300 Hz in a recording is music on hold.
        write_tone(self.sounds / "moh/music.wav", 300, 30)

    @property
    def environment(self) -> dict[str, str]:
        """Variables of a program that uses this Asterisk."""
        return {
            "ARI_URL": f"http://127.0.0.1:{self.http_port}/ari",
            "ARI_USERNAME": "callytics",
            "ARI_PASSWORD": PASSWORD,
            "RECORDINGS_DIR": str(self.recordings),
        }

    def use_recordings(self, folder: Path) -> None:
        """Record to this folder from now on; may be called while Asterisk runs."""
        folder.mkdir(parents=True, exist_ok=True)
        self.recordings = folder
        link = self.home / "spool/recording"
        if link.is_symlink():
            link.unlink()
            link.symlink_to(folder)

    def add_tone(self, hertz: int, seconds: float) -> str:
        """Make a prompt of one tone; return its name in ARI, such as "sound:tone700"."""
        write_tone(self.sounds / f"tone{hertz}.wav", hertz, seconds)
        link = self.home / f"data/sounds/tone{hertz}.wav"
        if self.process and not link.exists():
            link.symlink_to(self.sounds / link.name)
        return f"sound:tone{hertz}"

    def tell(self, party: str, hertz: int) -> None:
        """Let a party such as "told440" speak another tone, 0 for none, and wait until it does."""
        said = {"variable": f"says{party.removeprefix('told')}"}
        given = {"variable": party, "value": str(hertz)}
        assert self.ari("POST", "asterisk/variable", params=given).ok
        wait_until(
            lambda: self.ari("GET", "asterisk/variable", params=said).json()["value"] == str(hertz),
            f"{party} says {hertz} Hz",
        )

    def command_line(self) -> Sequence[str]:
        """Return the launcher, which becomes Asterisk; a restart uses the same ports."""
        command = [sys.executable, "-m", "deploy.asterisk.launch"]
        command += ["--home", str(self.home), "--recordings", str(self.recordings)]
        command += ["--http-port", str(self.http_port), "--sip-port", str(self.sip_port)]
        command += ["--trunk-port", str(self.trunk_port), "--sounds", str(self.sounds)]
        for include in self.includes:
            command += ["--include", str(include)]
        return command

    def options(self) -> dict[str, Any]:
        """Return its environment, without the developer's variables."""
        return {"env": {**inherited("ARI_USERNAME", "ARI_APP"), "ARI_PASSWORD": PASSWORD}}

    def is_ready(self) -> bool:
        """Return True if it answers ARI."""
        try:
            # Modules load one after the other; the dialplan may load after ARI.
            info = self.ari("GET", "asterisk/info", params={"only": "status"})
            return info.ok and self.ari("GET", "asterisk/modules/pbx_config.so").ok
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        """Kill it: nothing in its folder is kept."""
        self._session.close()
        self.end(signal.SIGKILL)

    def ari(self, method: str, path: str, **arguments: Any) -> requests.Response:
        """Send a plain ARI request; return the response, whatever its status."""
        url = f"{self.environment['ARI_URL']}/{path}"
        return self._session.request(method, url, timeout=60, **arguments)

    def cli(self, command: str) -> str:
        """Return the output of a command on Asterisk's console."""
        program = find_installation().command
        configuration = str(self.home / "etc/asterisk.conf")
        return subprocess.run(
            [*program, "-C", configuration, "-rx", command],
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def place_call(
        self,
        number: str,
        party: str,
        *,
        caller_number: str = "15551234",
        caller_name: str = "Ann Example",
        context: str = "from-trunk",
        channel_id: str = "",
    ) -> PlacedCall:
        """Call `number`; the caller then behaves as `party` of the dialplan context "party"."""
        channel_id = channel_id or f"caller-{uuid.uuid4()}"
        answer = self.ari(
            "POST",
            f"channels/{channel_id}",
            params={
                "endpoint": f"Local/{number}@{context}/n",
                "context": "party",
                "extension": party,
                "priority": 1,
                "callerId": f'"{caller_name}" <{caller_number}>',
                "timeout": -1,
            },
        )
        assert answer.ok, answer.text
        return PlacedCall(self, channel_id)

    def channels(self) -> list[dict[str, Any]]:
        """Return all channels."""
        return self.ari("GET", "channels").json()

    def bridges(self) -> list[dict[str, Any]]:
        """Return all bridges."""
        return self.ari("GET", "bridges").json()

    def hang_up_all(self) -> None:
        """Remove all channels and bridges, so that no test affects the next."""
        for channel in self.channels():
            self.ari("DELETE", f"channels/{channel['id']}")
        wait_until(lambda: not self.channels(), "all channels are gone")
        # One at a time: several deletions at once can lock up Asterisk.
        for bridge in self.bridges():
            self.ari("DELETE", f"bridges/{bridge['id']}")
