"""Counting proxy in front of a server, for tests of repeated requests."""

import contextlib
import socket
import threading

from tests.support.process import Server


class CountingDoor(Server):
    """Proxy that passes connections on to `port`, or closes them if there is none.

    `count` is the number of times that clients sent `what`, or of connections if that is empty.
    """

    def __init__(self, port: int | None = None, what: bytes = b"") -> None:
        self._behind, self._what = port, what
        self.count = 0
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]

    def start(self) -> None:
        """Start accepting connections."""
        threading.Thread(target=self._open, daemon=True).start()

    def stop(self) -> None:
        """Stop accepting connections."""
        # Only a shutdown wakes the thread that is blocked in accept.
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _open(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._server.accept()[0]
                self.count += not self._what
                if self._behind is None:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self._behind))
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError), source, target:
            while data := source.recv(65536):
                self.count += data.count(self._what) if self._what else 0
                self.pass_on(data)
                target.sendall(data)

    def pass_on(self, data: bytes) -> None:
        """Return when `data` may go on its way, here at once."""


class HoldingDoor(CountingDoor):
    """Holds back what a client sends with `what` in it, until it is opened."""

    def __init__(self, port: int, what: bytes) -> None:
        super().__init__(port, what)
        self._is_open = threading.Event()

    def open(self) -> None:
        """Let all go on from now on."""
        self._is_open.set()

    def pass_on(self, data: bytes) -> None:
        """Return when `data` may go on its way."""
        if self._what in data:
            self._is_open.wait(60)
