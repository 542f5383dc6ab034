"""`make run` as a new user tries it, but for the Python packages, which the tests have."""

import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.support.checkout import copy_program
from tests.support.ports import free_port
from tests.support.processes import fresh_environment
from tests.support.waiting import LOGS, wait_until


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the program without what running it leaves behind."""
    return copy_program(tmp_path / "checkout")


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Return the environment of a new user: nothing but ports and folders of the test's own."""
    variables = fresh_environment(tmp_path)
    for name in ("ARI_PASSWORD", "ARI_USERNAME", "ARI_APP", "CALLYTICS_INSTANCE", "SECRET_KEY"):
        del variables[name]
    del variables["DATABASE_URL"]
    return variables


class Run:
    """One run of the command until it has said where to sign in."""

    def __init__(self, checkout: Path, environment: dict[str, str], log: Path) -> None:
        self.log = log
        LOGS.append(log)
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "deploy.run"],
                cwd=checkout,
                env=environment,
                stdout=output,
                stderr=output,
            )

    def wait_for_invitation(self) -> str:
        """Everything that was printed until then."""
        wait_until(
            lambda: "Ctrl-C stops" in self.log.read_text() or self.process.poll() is not None,
            "the address is printed",
            seconds=180,
        )
        assert self.process.poll() is None, self.log.read_text()
        return self.log.read_text()

    def interrupt(self) -> int:
        """Ctrl-C; the exit code."""
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=60)
        LOGS.remove(self.log)
        return code


@pytest.mark.asterisk
@pytest.mark.slow
def test_it_starts_everything_and_ctrl_c_ends_everything(checkout, environment, tmp_path):
    first = Run(checkout, environment, tmp_path / "first.log")
    try:
        text = first.wait_for_invitation()
        address = f"http://localhost:{environment['PORT']}"
        assert address in text
        password = re.search(r"with the password (\S+) \(", text)[1]
        assert sign_in(address, "not-this-one") is False
        assert sign_in(address, password) is True
        assert not is_reached_at("127.0.0.2", environment["PORT"])
        kept = checkout / ".env"
        assert kept.stat().st_mode & 0o777 == 0o600
        ari_password = re.search(r"ARI_PASSWORD='(.+)'", kept.read_text())[1]
        info = f"{environment['ARI_URL']}/asterisk/info"
        assert requests.get(info, auth=("callytics", ari_password), timeout=60).ok
    finally:
        code = first.interrupt()
    assert code == 0
    recordings = Path(environment["RECORDINGS_DIR"])
    assert stat.S_IMODE(recordings.stat().st_mode) == 0o2770
    for path in (checkout / "instance", *(checkout / "instance").glob("*.db*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert "Traceback" not in first.log.read_text()
    with pytest.raises(requests.ConnectionError):
        requests.get(info, timeout=60)
    with pytest.raises(requests.ConnectionError):
        requests.get(address, timeout=60)

    second = Run(checkout, {**environment, "BIND": "0.0.0.0"}, tmp_path / "second.log")
    try:
        text = second.wait_for_invitation()
        assert password not in text
        assert "that the first `make run` printed" in text
        assert sign_in(address, password) is True
        assert is_reached_at("127.0.0.2", environment["PORT"])
    finally:
        assert second.interrupt() == 0


def is_reached_at(host: str, port: str) -> bool:
    """Return True if something listens there; only a server of all addresses has this one."""
    try:
        socket.create_connection((host, int(port)), timeout=60).close()
    except ConnectionRefusedError:
        return False
    return True


def sign_in(address: str, password: str) -> bool:
    """Return True if the sign-in page lets the admin in with this password."""
    with requests.Session() as session:
        page = session.get(f"{address}/login", timeout=60).text
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)[1]
        fields = {"username": "admin", "password": password, "csrf_token": token}
        session.post(f"{address}/login", data=fields, timeout=60)
        library = session.get(f"{address}/recordings", timeout=60, allow_redirects=False)
        return library.status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        ("BIND", "everywhere"),
        ("BIND", "192.0.2.1"),
        ("ARI_URL", "http://192.0.2.1.invalid:8088/ari"),
        ("ARI_URL", "telnet://127.0.0.1"),
        ("RECORDINGS_DIR", "/proc/recordings"),
        ("DATABASE_URL", "sqlite:////proc/callytics.db"),
        ("DATABASE_URL", "postgresql://a:secret@127.0.0.1:1/callytics"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_in_one_line(checkout, environment, name, value):
    line = failure(checkout, {**environment, name: value})
    assert line.startswith(f"{name}: ")
    assert "secret" not in line


def test_a_port_that_is_taken_is_named_in_one_line(checkout, environment):
    with socket.create_server(("0.0.0.0", free_port())) as server:
        port = str(server.getsockname()[1])
        assert failure(checkout, {**environment, "PORT": port}).startswith(f"PORT: {port} ")


def failure(checkout: Path, environment: dict[str, str]) -> str:
    """The one line that a start prints which cannot be."""
    done = subprocess.run(
        [sys.executable, "-m", "deploy.run"],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr
