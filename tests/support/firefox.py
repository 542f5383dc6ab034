"""Debian's Firefox, driven directly by WebDriver BiDi, without a driver to install."""

import itertools
import json
import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import websocket

from tests.support.process import Process
from tests.support.waiting import wait_until

FIREFOX = "/usr/bin/firefox-esr"
# No questions to the user, and no requests to other hosts.
PREFERENCES = {
    "media.autoplay.default": 0,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}
_ADDRESS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


class Firefox(Process):
    """Firefox with one window; a context manager."""

    name = "Firefox"
    _socket: websocket.WebSocket | None = None

    def __init__(self, folder: Path) -> None:
        self._profile, self.log = folder / "profile", folder / "firefox.log"
        self.logs = (self.log,)
        self._numbers = itertools.count(1)

    def go(self, url: str) -> None:
        """Open a URL and wait until it is loaded."""
        where = {"context": self._context, "url": url, "wait": "complete"}
        self._send("browsingContext.navigate", where)

    def run(self, script: str, activates: bool = False) -> Any:
        """Return the value of a JavaScript expression; `activates` runs it as a user's action."""
        asked = {
            "expression": f"JSON.stringify({script})",
            "target": {"context": self._context},
            "awaitPromise": True,
            "userActivation": activates,
        }
        result = self._send("script.evaluate", asked)
        assert result["type"] == "success", result
        return json.loads(result["result"].get("value", "null"))

    def until(self, script: str, what: str) -> Any:
        """Wait until a JavaScript expression is true; return its value."""
        return wait_until(lambda: self.run(script), what)

    def _send(self, method: str, parameters: dict[str, Any]) -> Any:
        assert self._socket
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                assert "result" in answer, answer
                return answer["result"]

    def command_line(self) -> Sequence[str]:
        """Return Firefox without a window, listening for WebDriver BiDi."""
        command = (FIREFOX, "--headless", "--no-remote", "--profile", str(self._profile))
        return (*command, "--remote-debugging-port", "0")

    def start(self) -> None:
        """Start it and open a session."""
        self._profile.mkdir(parents=True)
        lines = [f'user_pref("{k}", {json.dumps(v)});' for k, v in PREFERENCES.items()]
        (self._profile / "user.js").write_text("\n".join(lines))
        super().start()
        found = _ADDRESS.search(self.log.read_text())
        assert found
        self._socket = websocket.create_connection(
            f"{found[1]}/session", timeout=120, suppress_origin=True
        )
        self._send("session.new", {"capabilities": {}})
        tree = self._send("browsingContext.getTree", {})
        self._context = tree["contexts"][0]["context"]

    def is_ready(self) -> bool:
        """Return True if it has logged its address."""
        return bool(_ADDRESS.search(self.log.read_text()))

    def stop(self) -> None:
        """Kill it; nothing in its profile is kept."""
        if self._socket:
            self._socket.close()
        self.end(signal.SIGKILL)
