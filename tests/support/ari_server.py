"""HTTP and WebSocket server of ARI without an Asterisk, the base of stand-ins."""

import json
import struct
import threading
from base64 import b64encode
from dataclasses import dataclass
from hashlib import sha1
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.process import Server

TEXT, CLOSE = 0x81, 0x88
# RFC 6455: a server appends it to the client's key, and answers with the digest of both.
_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(frozen=True)
class Command:
    """REST request; `words` are for example ("POST", "channels", "id", "answer")."""

    words: tuple[str, ...]
    query: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class Answer:
    """Answer to a command; `hang` is the seconds of silence before it."""

    status: int = 204
    values: Any = None
    hang: float = 0.0


class EventSocket:
    """Server side of a WebSocket."""

    def __init__(self, write: Any) -> None:
        self._write = write
        self._one_at_a_time = threading.Lock()
        # True for an open socket that carries nothing, as after a failed write of Asterisk.
        self.silent = False

    def send(self, text: str, opcode: int = TEXT) -> None:
        """Send one frame; a client that has gone is no error."""
        data = text.encode(errors="surrogateescape")
        size = len(data)
        if size < 126:
            head = struct.pack("!BB", opcode, size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", opcode, 126, size)
        else:
            head = struct.pack("!BBQ", opcode, 127, size)
        try:
            with self._one_at_a_time:
                if not self.silent:
                    self._write(head + data)
        except OSError:
            self.silent = True


class AriServer(Server):
    """ARI server: answers commands by `answer`, and sends events; a context manager."""

    def __init__(self) -> None:
        self.sockets: list[EventSocket] = []
        # Authorization headers of the clients.
        self.logins: set[str | None] = set()
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        self._server.ari = self  # type: ignore[attr-defined]

    @property
    def url(self) -> str:
        """Value for ARI_URL."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/ari"

    def answer(self, command: Command) -> Answer:
        """Return the answer to `command`."""
        raise NotImplementedError

    def connected(self, query: dict[str, str]) -> None:
        """Handle a new WebSocket."""

    def send(self, event: dict[str, Any]) -> None:
        """Send an event to the application."""
        self.send_text(json.dumps(event))

    def send_text(self, text: str) -> None:
        """Send any text as an event; a surrogate escape is a byte that is not UTF-8."""
        for socket in self.sockets[-1:]:
            socket.send(text)

    def start(self) -> None:
        """Start answering."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Stop answering; release the commands that wait."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()

    def hang(self, seconds: float) -> None:
        """Let a command wait for `seconds`, or until the server stops."""
        self._over.wait(seconds)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # The two writes of one answer would otherwise wait 40 ms for each other (Nagle's algorithm).
    disable_nagle_algorithm = True

    def _any(self) -> None:
        self.server.ari.logins.add(self.headers["Authorization"])  # type: ignore[attr-defined]
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        if self.headers.get("Upgrade"):
            self._hold_socket(query)
            return
        names = [unquote(name) for name in parts.path.removeprefix("/ari/").split("/")]
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        ari: AriServer = self.server.ari  # type: ignore[attr-defined]
        answer = ari.answer(Command((self.command, *names), query, body))
        if answer.hang:
            ari.hang(answer.hang)
            self.close_connection = True
            return
        self._say(answer)

    do_GET = do_POST = do_PUT = do_DELETE = _any

    def _say(self, answer: Answer) -> None:
        content = b"" if answer.values is None else json.dumps(answer.values).encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _hold_socket(self, query: dict[str, str]) -> None:
        key = self.headers["Sec-WebSocket-Key"] + _GUID
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", b64encode(sha1(key.encode()).digest()).decode())
        self.end_headers()
        ari: AriServer = self.server.ari  # type: ignore[attr-defined]
        socket = EventSocket(self.wfile.write)
        ari.sockets.append(socket)
        ari.connected(query)
        while (opcode := self._next_frame()) not in (None, CLOSE & 15):
            pass
        if opcode is not None:
            socket.send("", CLOSE)
        socket.silent = self.close_connection = True

    def _next_frame(self) -> int | None:
        """Read and drop a frame of the client, which sends only pongs and the close."""
        head = self.rfile.read(2)
        if len(head) < 2:
            return None
        self.rfile.read(4 + (head[1] & 127))
        return head[0] & 15

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing."""
