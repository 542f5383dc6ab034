"""Program in a network of its own, which is cut while it uses PostgreSQL: `cut_network SOCKET URL`.

Started by `unshare --net`. Its loopback device leads, through a relay, to the socket of the server
outside, and is switched off without a word to either side. Prints as JSON the seconds after which
a query in progress, a new query, and a connection of the pool are given up; null for over a minute.
"""

import fcntl
import json
import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable

from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from callytics import create_app
from callytics.config import load_config
from callytics.database.postgres import FRESH_SECONDS
from callytics.database.reading import reading

PATIENCE_SECONDS = 60.0
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 1


def main(server: str, url: str) -> None:
    """Cut the network, and print what was noticed when."""
    switch(on=True)
    port = relay(server)
    app = create_app(load_config({**os.environ, "DATABASE_URL": url.replace("PORT", str(port))}))
    begun, cut = threading.Semaphore(0), threading.Event()
    tried = [
        Attempt(app, lambda: in_progress(begun)),
        Attempt(app, lambda: after_the_cut(begun, cut)),
    ]
    # Two connections that nobody uses.
    with app.app_context(), reading() as one, reading() as other:
        for connection in (one, other):
            connection.execute(text("SELECT 1"))
    time.sleep(FRESH_SECONDS)
    for attempt in tried:
        attempt.thread.start()
        begun.acquire()
    switch(on=False)
    at = time.monotonic()
    cut.set()
    idle = Attempt(app, lambda: run("SELECT 1"))
    idle.thread.start()
    seconds = [attempt.seconds_since(at) for attempt in (*tried, idle)]
    switch(on=True)
    with app.app_context():
        run("SELECT 1")
    print(json.dumps(dict(zip(("in progress", "new", "pooled"), seconds, strict=True))), flush=True)
    os._exit(0)


class Attempt:
    """Work in a thread that is expected to fail, and the moment when it did."""

    def __init__(self, app: Flask, work: Callable[[], None]) -> None:
        self._app, self._work, self._failed_at = app, work, 0.0
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        try:
            with self._app.app_context():
                self._work()
        except OperationalError:
            self._failed_at = time.monotonic()

    def seconds_since(self, at: float) -> float | None:
        """Return the seconds from `at` to its failure, None if it did not fail in time."""
        self.thread.join(max(0.0, at + PATIENCE_SECONDS - time.monotonic()))
        return self._failed_at - at if self._failed_at else None


def run(query: str) -> None:
    """Run one query."""
    with reading() as connection:
        connection.execute(text(query))


def in_progress(begun: threading.Semaphore) -> None:
    """Wait for the answer to a query that was sent before the cut."""
    with reading() as connection:
        connection.execute(text("SELECT 1"))
        threading.Timer(0.5, begun.release).start()
        connection.execute(text("SELECT pg_sleep(600)"))


def after_the_cut(begun: threading.Semaphore, cut: threading.Event) -> None:
    """Send a query after the cut."""
    with reading() as connection:
        connection.execute(text("SELECT 1"))
        begun.release()
        cut.wait()
        connection.execute(text("SELECT 1"))


def switch(on: bool) -> None:
    """Switch the loopback device on or off."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        _, flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked))
        flags = flags | _IFF_UP if on else flags & ~_IFF_UP
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags))


def relay(server: str) -> int:
    """Pass connections on to the socket `server`; return the port at which to make them."""
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            client, _ = listener.accept()
            upstream = socket.socket(socket.AF_UNIX)
            upstream.connect(server)
            for pair in ((client, upstream), (upstream, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(listener.getsockname()[1])


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until one side ends."""
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
