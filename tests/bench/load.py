"""Requests a second that a server answers, asked by wrk, which costs less than any server."""

import re
import subprocess
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from statistics import median

import requests

# One after the other from a list, so that an answer that is kept is not all that is measured; each
# with the cookie of who asks.
CYCLE = """
local asked, at = {}, 0
function init(arguments)
    for line in io.lines(arguments[1]) do
        local path, cookie = line:match("^(%S+)\\t(.*)$")
        if cookie ~= "" then wrk.headers["Cookie"] = cookie end
        asked[#asked + 1] = wrk.format("GET", path)
    end
end
function request()
    at = at % #asked + 1
    return asked[at]
end
"""
CONNECTIONS = 16
ROUNDS = 3
SECONDS = 4


class Load:
    """`Load(folder, seconds).of(url, paths)`; `folder` is for what wrk reads."""

    def __init__(self, folder: Path, seconds: float = SECONDS) -> None:
        self._seconds = max(1, round(seconds))
        self._script, self._asked = folder / "cycle.lua", folder / "asked"
        self._script.write_text(CYCLE)

    def of(
        self,
        url: str,
        paths: Sequence[str],
        people: Sequence[requests.Session] = (),
        connections: int = CONNECTIONS,
        **headers: str,
    ) -> float:
        """Answers in a second to requests for `paths` by people in turn; an error ends it."""
        cookies = [_cookie(person) for person in people] or [""]
        self._asked.write_text("".join(f"{p}\t{c}\n" for p, c in product(paths, cookies)))
        for person in people:
            # The browser that signed in: another one's cookie is written anew with each answer.
            headers["User-Agent"] = str(person.headers["User-Agent"])
        said = [f"-H{name}: {value}" for name, value in headers.items()]
        command = ["wrk", "-t1", f"-c{connections}", f"-d{self._seconds}s", "--timeout", "30s"]
        command += ["-s", str(self._script), *said, url, "--", str(self._asked)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        rate = re.search(r"Requests/sec: +([0-9.]+)", done.stdout)
        if rate is None or re.search(r"Non-2xx|Socket errors", done.stdout):
            raise SystemExit(f"{url}{paths[0]} is not answered well:\n{done.stdout}{done.stderr}")
        return float(rate[1])


def _cookie(person: requests.Session) -> str:
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in person.cookies)


def in_turn(measured: dict[str, Callable[[], float]]) -> dict[str, float]:
    """The median of each; one after the other, so that what disturbs one disturbs all."""
    found: dict[str, list[float]] = {name: [] for name in measured}
    for _ in range(ROUNDS):
        for name, measure in measured.items():
            found[name].append(measure())
    return {name: median(rates) for name, rates in found.items()}
