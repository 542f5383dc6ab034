"""Slow requests over raw sockets: each connection ends in time, whatever part of it is slow."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.hasty_worker import REQUEST_SECONDS
from tests.support.processes import Web
from tests.support.waiting import wait_until

HEAD = b"POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
# Beginnings of requests that never come to their end, and what is sent of them bit by bit.
SLOW = {
    "nothing": b"",
    "half a line": b"GET /hea",
    "half a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-",
    "no body": HEAD + b"Content-Length: 500000\r\n\r\n",
    "half a body": HEAD + b"Content-Length: 500000\r\n\r\nusername=",
    "half a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1000\r\nusername=",
    "chunk without end": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
    "no such page": b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n",
    "body of a GET": b"GET /login HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\nx",
    "to sign in first": b"POST /users/add HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\nx",
}
EACH = 2
GET_MUCH = b"GET /static/htmx-2.0.11.min.js HTTP/1.1\r\nHost: x\r\n\r\n" * 5
# All connections must be closed by then: the time for a request, and some more.
LATEST_SECONDS = REQUEST_SECONDS + 7


@pytest.fixture
def hasty(app_env: dict[str, str], tmp_path: Path) -> Iterator[Web]:
    """A web server as it is, with less time for each request so that the tests need not wait."""
    arguments = "--worker-class tests.support.hasty_worker.HastyWorker"
    environment = {**app_env, "GUNICORN_CMD_ARGS": arguments, "WEB_CONCURRENCY": "1"}
    with Web(environment, tmp_path) as web:
        yield web


def is_closed(connection: socket.socket) -> bool:
    """Return True if the server has closed its side; what it still said is left out."""
    connection.setblocking(False)
    try:
        while connection.recv(65536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def test_a_request_that_does_not_end_is_ended(hasty: Web) -> None:
    address = ("127.0.0.1", int(hasty.environment["PORT"]))
    open_ones = {}
    for name, start in SLOW.items():
        for number in range(EACH):
            connection = socket.create_connection(address)
            connection.sendall(start)
            open_ones[f"{name} {number}"] = connection
    until = time.monotonic() + LATEST_SECONDS
    all_of_them = dict(open_ones)
    while open_ones and time.monotonic() < until:
        for name, connection in list(open_ones.items()):
            try:
                # One byte after the other, so that none of them ever falls silent.
                if not name.startswith("nothing"):
                    connection.setblocking(True)
                    connection.sendall(b"a")
            except OSError:
                pass
            if is_closed(connection):
                del open_ones[name]
        time.sleep(0.1)
    print(f"{len(all_of_them)} slow connections, still open: {sorted(open_ones)}")
    for connection in all_of_them.values():
        connection.close()
    assert sorted(open_ones) == []
    assert "Traceback" not in hasty.log.read_text()


def test_a_browser_that_takes_nothing_is_let_go(hasty: Web) -> None:
    address = ("127.0.0.1", int(hasty.environment["PORT"]))
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(address)
        # More answers than the buffers of both sides hold.
        try:
            connection.settimeout(2)
            for _ in range(20_000):
                connection.sendall(
                    b"GET /static/htmx-2.0.11.min.js HTTP/1.1\r\nHost: x\r\n\r\n" * 5
                )
        except OSError:
            pass
        wait_until(lambda: _has_been_reset(connection), "the connection is closed", 20)


def _has_been_reset(connection: socket.socket) -> bool:
    try:
        connection.send(b"G")
    except BlockingIOError:
        return False
    except TimeoutError:
        return False
    except OSError:
        return True
    return False
