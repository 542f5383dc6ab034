"""Answers and events of something that is not Asterisk: an AriError each, quickly, in bounds."""

import gzip
import json
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket

from callytics.ari import connections
from callytics.ari.commands import Ari, AriError
from callytics.config import load_config
from tests.support.ari_server import AriServer
from tests.support.processes import fresh_environment
from tests.support.waiting import wait_until
from worker.asterisk import bounded_socket
from worker.asterisk.bounded_socket import BoundedSocket


def plain(body: bytes, head: str = "") -> bytes:
    """An answer with this body."""
    return f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


DEEP = b"[" * 200_000
ANSWERS: dict[str, bytes] = {
    "deep lists": plain(DEEP),
    "deep objects": plain(b'{"a":' * 200_000),
    "no JSON": plain(b"<html>"),
    "wrong bytes": plain(b"\xff\xfe\x00"),
    "a number": plain(b"1"),
    "a long number": plain(b"9" * 100_000),
    "null": plain(b"null"),
    "numbers": plain(b"[1, 2]"),
    "compressed": plain(gzip.compress(b" " * 50_000_000), "Content-Encoding: gzip\r\n"),
    "huge": plain(b'"' + b"x" * 3_000_000 + b'"'),
    "no length": b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 3_000_000,
    "endless chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"10000\r\n"
    + b"x" * 65536
    + b"\r\n" * 60,
    "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    "a long header": b"HTTP/1.1 200 OK\r\nX: " + b"y" * 200_000 + b"\r\n\r\n",
    "no HTTP": b"SSH-2.0\r\n\r\n",
    "deep refusal": plain(DEEP).replace(b"200 OK", b"500 No"),
    "cut off": plain(b"[]").replace(b"Content-Length: 2", b"Content-Length: 200"),
}
ASKED: dict[str, Callable[[Ari], Any]] = {
    "channels": Ari.channels,
    "bridges": Ari.bridges,
    "endpoints": Ari.endpoints,
    "info": Ari.info,
    "channel": lambda ari: ari.channel("x"),
    "recording": lambda ari: ari.live_recording("x"),
    "device": lambda ari: ari.device_state("x"),
}


class Liar(socketserver.ThreadingTCPServer):
    """A server that says `answer` to each request, and then bit by bit `rest`."""

    allow_reuse_address = daemon_threads = True
    answer = rest = b""

    class RequestHandlerClass(socketserver.BaseRequestHandler):
        """Connection of a client."""

        server: "Liar"

        def handle(self) -> None:
            """Read a request and answer it."""
            try:
                self.request.recv(65536)
                self.request.sendall(self.server.answer)
                while self.server.rest:
                    self.request.sendall(self.server.rest)
                    time.sleep(0.05)
            except OSError:
                pass

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.RequestHandlerClass)


@pytest.fixture
def liar() -> Iterator[Liar]:
    with Liar() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def ari(liar: Liar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ari:
    monkeypatch.setattr(connections, "MOST_BYTES", 1 << 20)
    address = f"http://127.0.0.1:{liar.server_address[1]}/ari"
    environment = {**fresh_environment(tmp_path), "ARI_URL": address, "ARI_PASSWORD": "x"}
    return Ari(load_config(environment))


@pytest.mark.parametrize("what", ANSWERS)
def test_an_answer_that_is_not_of_asterisk_is_an_ari_error(liar: Liar, ari: Ari, what: str) -> None:
    liar.answer = ANSWERS[what]
    for name, ask in ASKED.items():
        before = time.monotonic()
        with pytest.raises(AriError):
            assert ask(ari) is None, name
        assert time.monotonic() - before < 5, name


def test_an_answer_that_does_not_end_is_an_ari_error(liar: Liar, ari: Ari) -> None:
    liar.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n["
    liar.rest = b" "
    before = time.monotonic()
    with pytest.raises(AriError, match="does not come to its end"):
        ari.command("GET", "/channels", seconds=0.5)
    assert time.monotonic() - before < 5


class Events(AriServer):
    """The WebSocket of ARI."""

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.sockets[-1]._write(data)


@pytest.fixture
def events() -> Iterator[Events]:
    with Events() as server:
        yield server


@pytest.mark.parametrize("fragments", [False, True])
def test_an_event_that_is_too_large_ends_the_connection(events: Events, fragments: bool) -> None:
    url = events.url.replace("http", "ws", 1)
    client = websocket.create_connection(f"{url}/events", timeout=10, class_=BoundedSocket)
    try:
        text = json.dumps({"type": "x", "much": "x" * 100_000})
        wait_until(lambda: events.sockets, "the server has the connection")
        events.send_text(text)
        assert client.recv() == text
        if fragments:
            piece = b"x" * 65_000
            frames = -(-bounded_socket.MOST_BYTES // len(piece)) + 1
            first = struct.pack("!BBH", 0x01, 126, len(piece)) + piece
            more = struct.pack("!BBH", 0x00, 126, len(piece)) + piece
            send = lambda: events.send_raw(first + more * frames)  # noqa: E731
        else:
            # Only said: nobody has to send so much.
            head = struct.pack("!BBQ", 0x81, 127, 1 << 40)
            send = lambda: events.send_raw(head)  # noqa: E731
        threading.Thread(target=send, daemon=True).start()
        with pytest.raises(websocket.WebSocketPayloadException):
            client.recv()
    finally:
        client.shutdown()
