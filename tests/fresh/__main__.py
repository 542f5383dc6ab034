"""Both commands of the README in a minimal root: `make run` with a test call, then `make test`."""

import io
import json
import re
import socket
import sys
import wave
from pathlib import Path

import numpy as np

from deploy.asterisk.launch import port_is_free
from deploy.run import free_sip_port
from tests.fresh.root import Root
from tests.fresh.terminal import Terminal
from tests.support.ports import free_port
from tests.support.shelf import signed_in
from tests.support.waiting import wait_until

READY = r"Ctrl-C stops everything"
TESTS_BEGIN = r"-m pytest "
INSTALL_SECONDS = 900
TEST_SECONDS = 3 * 3600
# The announcement of the sample call is speech at a usual level; a line without speech is at -60.
SPEECH_DB = -40.0


def say(line: str) -> None:
    """Print a line now."""
    print(line, flush=True)


def port_or_free(port: int) -> int:
    """Return the usual port, or another where something of this machine has it."""
    return port if port_is_free(port) else free_port()


def loudness_db(octets: bytes) -> tuple[float, float]:
    """Return the seconds of a WAV and the level in dB of its loudest tenth of a second."""
    with wave.open(io.BytesIO(octets)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2") / 32768
    frames = samples[: len(samples) // 800 * 800].reshape(-1, 800)
    loudest = float(np.sqrt((frames**2).mean(axis=1)).max(initial=1e-9))
    return len(samples) / 8000, 20 * float(np.log10(loudest))


def place_test_call(root: Root, text: str) -> None:
    """Place a call, and hear its recording over HTTP with the password that was printed."""
    address = re.search(r"Open (http://\S+) ", text)[1]
    password = re.search(r"with the password (\S+) \(", text)[1]
    flask = (".venv/bin/python", "-m", "flask")
    root.said(*flask, "calls", "place-test")

    def available() -> str | None:
        rows = json.loads(root.said(*flask, "recordings", "list", "--json"))
        return next((row["uid"] for row in rows if row["state"] == "available"), None)

    uid = wait_until(available, "the recording of the test call is available", seconds=120)
    with signed_in(address, "admin", password) as person:
        answer = person.get(f"{address}/recordings/{uid}/audio", timeout=60)
    answer.raise_for_status()
    seconds, level = loudness_db(answer.content)
    say(f"fresh: a test call was recorded: {seconds:.1f} s, its loudest at {level:.0f} dB")
    assert seconds > 2 and level > SPEECH_DB, "the recording cannot be heard"


def try_run(root: Root, log: Path) -> None:
    """`make run` to its address, a test call, Ctrl-C, and nothing that is left."""
    sip = free_sip_port()  # the one that it will take
    terminal = Terminal(root.command("make", "run"), log)
    try:
        seconds = terminal.wait_for(READY, INSTALL_SECONDS)
        say(f"fresh: make run printed its address after {seconds:.0f} s")
        place_test_call(root, terminal.text)
    finally:
        terminal.interrupt()
        terminal.wait(60)
    wait_until(lambda: not root.processes(), f"nothing runs any more: {root.processes()}", 10)
    ports = [int(root.variables["PORT"]), int(root.variables["ARI_URL"].split(":")[2][:-4])]
    assert all(map(port_is_free, ports)), f"a port of {ports} is still taken"
    assert port_is_free(sip, socket.SOCK_DGRAM), f"the port of SIP, {sip}, is still taken"
    say("fresh: Ctrl-C ended every process and freed the ports")


def try_tests(root: Root, log: Path) -> bool:
    """`make test`; true when it passed, each test at its first try."""
    terminal = Terminal(root.command("make", "test"), log)
    code = terminal.wait(TEST_SECONDS)
    ended = terminal.lines[-1][0]
    began = terminal.seconds_until(TESTS_BEGIN) or ended
    closing = [line for _, line in terminal.lines if re.search(r"^=.* in \d.*=$", line)]
    say(f"fresh: make test installed for {began:.0f} s and tested for {ended - began:.0f} s")
    say(closing[-1] if closing else terminal.text[-3000:])
    again = bool(closing) and "rerun" in closing[-1]
    return code == 0 and bool(closing) and not again


def main(path: str, code: str, *tests: str) -> int:
    """Try both commands; return the exit code."""
    run = {"PORT": str(port_or_free(8000))}
    run["ARI_URL"] = f"http://127.0.0.1:{port_or_free(8088)}/ari"
    root = Root(Path(path), Path(code), run)
    release = re.search(r'PRETTY_NAME="(.*)"', (root.path / "etc/os-release").read_text())
    say(f"fresh: {release[1]}, with git and make")
    try_run(root, Path(f"{path}-run.log"))
    say(f"fresh: {root.said('.venv/bin/python', '--version').strip()}")
    if tests == ("no",):
        return 0
    selected = {"CI": "true", "PYTEST_ADDOPTS": " ".join(tests)}
    passed = try_tests(Root(root.path, root.code, selected), Path(f"{path}-test.log"))
    say(f"fresh: {'passed' if passed else f'FAILED, see {path}-test.log'}")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
