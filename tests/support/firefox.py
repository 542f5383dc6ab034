"""Debian's Firefox, spoken to by WebDriver BiDi as it is: nothing between has to be installed."""

import itertools
import json
import re
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import websocket

from tests.support.waiting import wait_until

FIREFOX = "/usr/bin/firefox-esr"
# Nothing is to be asked of anybody, nor of any host but ours.
PREFERENCES = {
    "media.autoplay.default": 0,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
}
_ADDRESS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


class Firefox:
    """One window; `with Firefox(folder) as firefox: firefox.go(url)`."""

    def __init__(self, folder: Path) -> None:
        self._profile, self._log = folder / "profile", folder / "firefox.log"
        self._numbers = itertools.count(1)

    def go(self, url: str) -> None:
        """Open an address and wait until it is there."""
        where = {"context": self._context, "url": url, "wait": "complete"}
        self._send("browsingContext.navigate", where)

    def run(self, script: str, activates: bool = False) -> Any:
        """The value of a script's expression, as JSON can hold it; as if a person had acted."""
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
        """Wait until a script's expression is true; return it."""
        return wait_until(lambda: self.run(script), what)

    def _send(self, method: str, parameters: dict[str, Any]) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("id") == number:
                assert "result" in answer, answer
                return answer["result"]

    def __enter__(self) -> Self:
        self._profile.mkdir(parents=True)
        lines = [f'user_pref("{k}", {json.dumps(v)});' for k, v in PREFERENCES.items()]
        (self._profile / "user.js").write_text("\n".join(lines))
        command = [FIREFOX, "--headless", "--no-remote", "--profile", str(self._profile)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--remote-debugging-port", "0"], stdout=log, stderr=log
            )
        try:
            self._connect()
        except BaseException:
            self._end()
            raise
        return self

    def _connect(self) -> None:
        found = wait_until(lambda: _ADDRESS.search(self._log.read_text()), "Firefox", seconds=120)
        self._socket = websocket.create_connection(
            f"{found[1]}/session", timeout=120, suppress_origin=True
        )
        self._send("session.new", {"capabilities": {}})
        tree = self._send("browsingContext.getTree", {})
        self._context = tree["contexts"][0]["context"]

    def _end(self) -> None:
        self._process.kill()
        self._process.wait()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()
        self._end()
