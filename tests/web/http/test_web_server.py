"""gunicorn as in the Procfile: how it starts, serves, and what it does where it cannot."""

import contextlib
import http.client
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from honcho.environ import parse_procfile

from callytics.recordings.facts import Facts
from tests.support.ports import free_port
from tests.support.process import PROJECT
from tests.support.processes import Install, Web, fresh_environment
from tests.support.shelf import Shelf, signed_in, wav_bytes
from tests.support.waiting import wait_until

# More than the socket buffers of both sides hold, so that the server has to wait for the reader.
LONG = wav_bytes(bytes(range(256)) * 80_000)


@pytest.fixture(scope="module")
def web(install: Install, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A server with one worker, which all must share."""
    folder = tmp_path_factory.mktemp("web")
    environment = install(folder)
    with Web(environment, folder) as server:
        yield server


@pytest.fixture(scope="module")
def shelf(web: Web) -> Shelf:
    shelf = Shelf.of(web.environment)
    shelf.add_person("rita")
    return shelf


@pytest.fixture(scope="module")
def rita(shelf: Shelf, web: Web) -> Iterator[requests.Session]:
    with signed_in(web.url, "rita") as session:
        yield session


class Listener:
    """One who has asked for a recording, got the headers, and reads no further by themselves."""

    def __init__(self, web: Web, session: requests.Session, facts: Facts, **headers: str) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", int(web.environment["PORT"]))
        cookies = "; ".join(f"{c.name}={c.value}" for c in session.cookies)
        path = f"/recordings/{facts.uid}/audio"
        self.connection.request("GET", path, headers={"Cookie": cookies, **headers})
        self.answer = self.connection.getresponse()

    def __enter__(self) -> "Listener":
        return self

    def __exit__(self, *_: object) -> None:
        self.answer.close()
        self.connection.close()


def processes(web: Web) -> list[int]:
    """gunicorn's master and its workers."""
    assert web.process
    master = web.process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return [master, *map(int, children)]


def open_by(pid: int, path: Path) -> bool:
    """Return True if a process has this file open."""
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if descriptor.readlink() == path:
                return True
    return False


def test_a_slow_listener_holds_up_nobody(web: Web, shelf: Shelf, rita) -> None:
    """One worker serves all of them."""
    facts, other = shelf.add(LONG), shelf.add(wav_bytes(bytes(1000)))
    with contextlib.ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(Listener(web, rita, facts)).answer.read(10)
        answer = rita.get(f"{web.url}/recordings/{other.uid}/audio", timeout=60)
        assert answer.content == wav_bytes(bytes(1000))


def test_the_file_is_closed_when_the_listener_goes_away(web, shelf: Shelf, rita) -> None:
    facts = shelf.add(LONG)
    _, worker = processes(web)
    with Listener(web, rita, facts) as listener:
        listener.answer.read(10)
        assert open_by(worker, shelf.path(facts))
    wait_until(lambda: not open_by(worker, shelf.path(facts)), "the file is closed")


def test_a_recording_that_becomes_shorter_is_broken_off_and_not_made_up(
    web: Web, shelf: Shelf, rita
) -> None:
    facts = shelf.add(LONG)
    with Listener(web, rita, facts) as listener:
        assert int(listener.answer.headers["Content-Length"]) == len(LONG)
        os.truncate(shelf.path(facts), len(LONG) // 2)
        with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
            listener.answer.read()


def test_after_a_recording_that_became_shorter_nothing_is_taken_for_its_rest(
    web: Web, shelf: Shelf, rita
) -> None:
    """On a connection that stayed open, the next answer would be heard as sound."""
    facts = shelf.add(LONG)
    with Listener(web, rita, facts) as listener:
        os.truncate(shelf.path(facts), len(LONG) // 2)
        with contextlib.suppress(ConnectionError):
            listener.connection.sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        heard = b""
        with contextlib.suppress(http.client.IncompleteRead, ConnectionError):
            while piece := listener.answer.read(1 << 16):
                heard = heard[-64:] + piece
                assert b"HTTP/1.1" not in heard


def test_a_recording_that_grows_ends_where_it_was_said_to(web, shelf: Shelf, rita) -> None:
    facts = shelf.add(LONG)
    with Listener(web, rita, facts) as listener:
        with shelf.path(facts).open("ab") as file:
            file.write(b"more" * 100_000)
        assert listener.answer.read() == LONG


def test_a_recording_that_is_deleted_while_it_is_heard_is_heard_to_its_end(
    web: Web, shelf: Shelf, rita
) -> None:
    facts = shelf.add(LONG)
    with Listener(web, rita, facts) as listener:
        shelf.storage.delete(facts.path)
        assert listener.answer.read() == LONG


def test_memory_does_not_grow_with_the_recording(web: Web, shelf: Shelf, rita) -> None:
    facts = shelf.add(None)
    with shelf.path(facts).open("wb") as file:
        file.truncate(300 << 20)
    _, worker = processes(web)
    rita.get(f"{web.url}/recordings/{facts.uid}/audio", headers={"Range": "bytes=0-9"})
    before = peak_memory(worker)
    with Listener(web, rita, facts) as listener:
        length = 0
        while piece := listener.answer.read(1 << 20):
            length += len(piece)
    assert length == 300 << 20
    assert peak_memory(worker) - before < 30 << 20


def peak_memory(pid: int) -> int:
    """The most bytes of memory that a process ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


def test_one_connection_serves_part_after_part(web: Web, shelf: Shelf, rita) -> None:
    facts = shelf.add(LONG)
    url = f"{web.url}/recordings/{facts.uid}/audio"
    rita.head(url, timeout=60)
    for first in (0, 44, 5_000_000, len(LONG) - 10):
        answer = rita.get(url, headers={"Range": f"bytes={first}-{first + 99}"}, timeout=60)
        assert (answer.status_code, answer.content) == (206, LONG[first : first + 100])
        not_changed = rita.get(url, headers={"If-None-Match": answer.headers["ETag"]}, timeout=60)
        assert (not_changed.status_code, not_changed.content) == (304, b"")


def test_while_somebody_locks_the_database_all_are_told_so_soon(web, shelf: Shelf, rita) -> None:
    """SQLite waits five seconds for each entry of the audit: in turn, that were minutes."""
    many = [shelf.add(wav_bytes(bytes(1000))) for _ in range(40)]
    lock = sqlite3.connect(
        shelf.environment["DATABASE_URL"].removeprefix("sqlite:///"), isolation_level=None
    )
    lock.execute("BEGIN IMMEDIATE")
    before = time.monotonic()
    try:
        with ThreadPoolExecutor(len(many)) as pool:
            urls = [f"{web.url}/recordings/{facts.uid}/audio" for facts in many]
            answers = list(pool.map(lambda url: rita.get(url, timeout=60), urls))
        assert {a.status_code for a in answers} == {503}
        assert not any(bytes(1000) in a.content for a in answers)
        assert time.monotonic() - before < 20
    finally:
        lock.rollback()
        lock.close()
    assert "cannot be kept" in web.log.read_text()
    wait_until(lambda: rita.get(urls[0], timeout=60).ok, "it can be heard")
    assert shelf.accesses(many[0]) == [("rita", "play")]


def test_many_at_once_are_all_kept_in_the_audit(web: Web, shelf: Shelf, rita) -> None:
    many = [shelf.add(wav_bytes(bytes(1000))) for _ in range(60)]
    with ThreadPoolExecutor(20) as pool:
        urls = [f"{web.url}/recordings/{facts.uid}/audio" for facts in many]
        assert all(a.ok for a in pool.map(lambda url: rita.get(url, timeout=60), urls))
    assert [shelf.accesses(facts) for facts in many] == [[("rita", "play")]] * len(many)


def test_no_connection_to_the_database_is_older_than_the_workers(web, shelf, rita) -> None:
    path = Path(shelf.environment["DATABASE_URL"].removeprefix("sqlite:///"))
    master, worker = processes(web)
    assert open_by(worker, path)
    assert not open_by(master, path)


def test_the_log_tells_of_requests_without_what_was_looked_for(web, rita) -> None:
    rita.get(f"{web.url}/recordings?q=5551234", timeout=60)
    rita.get(f"{web.url}/recordings/a%0AFAKE%20LINE/audio", timeout=60)
    log = wait_until(
        lambda: "FAKE%20LINE" in (text := web.log.read_text()) and text,
        "the requests are logged",
    )
    assert "5551234" not in log
    assert "correct horse" not in log
    assert '"GET /recordings/a%0AFAKE%20LINE/audio" 404' in log


@pytest.fixture
def own_web(web: Web, tmp_path: Path) -> Iterator[Web]:
    """A server of the same library that a test may end."""
    with Web({**web.environment, "PORT": str(free_port())}, tmp_path, forked=False) as server:
        yield server


def test_a_listener_does_not_keep_it_from_ending_well(own_web: Web, shelf: Shelf, rita) -> None:
    """The process ends before the file does; the harness kills it after a minute."""
    with Listener(own_web, rita, shelf.add(LONG)) as listener:
        listener.answer.read(10)
        assert own_web.terminate() == 0
    assert "Traceback" not in own_web.log.read_text()


def test_the_procfile_starts_what_the_tests_start() -> None:
    """It looks first, then becomes this very command."""
    line = parse_procfile((PROJECT / "Procfile").read_text()).processes["web"]
    assert line == " ".join(("python -m callytics.preflight", *Web.command))


def test_a_reload_keeps_serving_on_its_own_port(own_web: Web) -> None:
    master, worker = processes(own_web)
    os.kill(master, signal.SIGHUP)
    wait_until(lambda: processes(own_web)[1:] not in ([], [worker]), "there is a new worker")
    wait_until(own_web.is_ready, "it answers")
    assert processes(own_web)[0] == master


def start(environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the Procfile's own line where it should not even begin."""
    path = f"{Path(sys.executable).parent}:{environment['PATH']}"
    line = parse_procfile((PROJECT / "Procfile").read_text()).processes["web"]
    return subprocess.run(
        f"exec {line}",  # no shell in between that a time-out would end in its stead
        shell=True,
        cwd=PROJECT,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def says_in_one_line(done: subprocess.CompletedProcess[str], variable: str, words: str) -> None:
    said = (done.stdout + done.stderr).strip()
    assert done.returncode not in (0, None), said
    assert said.startswith(f"{variable}: "), said
    assert words in said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("PORT", "eighty", "must be a whole number from 1 to 65535"),
        ("WEB_CONCURRENCY", "many", "must be a whole number from 1 to 64"),
        ("DATABASE_URL", "postgresql://u:hush@h:port/db", "must be postgresql://"),
        ("DATABASE_URL", "postgresql://u:hush@127.0.0.1:1/db", "cannot be used"),
        ("DATABASE_URL", "sqlite:////nowhere/at/all.db", "unable to open database file"),
        ("DATABASE_URL", f"sqlite:///{__file__}", "not a database"),
        ("RECORDINGS_DIR", "/nowhere/at/all", "does not exist"),
        ("RECORDINGS_DIR", __file__, "does not exist"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_in_one_line(
    tmp_path: Path, variable: str, value: str, words: str
) -> None:
    done = start({**fresh_environment(tmp_path), variable: value})
    says_in_one_line(done, variable, words)
    assert "hush" not in done.stderr


def test_a_port_that_is_taken_is_named_in_one_line(tmp_path: Path) -> None:
    environment = fresh_environment(tmp_path)
    with socket.create_server(("127.0.0.1", int(environment["PORT"]))):
        says_in_one_line(start(environment), "PORT", "set PORT to another")
