"""Wire: the network between a worker and a server, which can be cut without a word to either."""

import contextlib
import socket
import threading

from tests.support.process import Server


class Wire(Server):
    """Relay to `port`. While it is cut nothing passes; then its connections are gone."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self._passes = threading.Event()
        self._passes.set()
        self._open: set[socket.socket] = set()
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]

    def start(self) -> None:
        """Accept connections."""
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        """Accept no more connections, and end those there are."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        self.mend()

    def cut(self) -> None:
        """Let nothing pass from now on."""
        self._passes.clear()

    def mend(self) -> None:
        """Let new connections pass; a router has forgotten the old ones."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._passes.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = self._server.accept()[0]
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._passes.wait()
        try:
            server = socket.create_connection(("127.0.0.1", self._behind))
        except OSError:
            client.close()
            return
        for pair in ((client, server), (server, client)):
            threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        self._open.add(source)
        with contextlib.suppress(OSError), source, target:
            while data := source.recv(65536):
                self._passes.wait()
                target.sendall(data)
        self._open.discard(source)
