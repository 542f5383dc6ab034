"""gunicorn's gevent worker, which lets the kernel send files.

gevent's own `sendfile` reads 8 kB at a time and writes them. The kernel sends a recording without
a copy of it in this process, in less time and with no memory for each listener.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

import gevent
from gevent import socket
from gunicorn.workers.ggevent import GeventWorker

# So many bytes before others get their turn: reading them may have to wait for the disk.
MOST_AT_ONCE = 1024 * 1024


# Time for all of a request, its body included; nginx passes on only what has come in whole.
REQUEST_SECONDS = 30.0
# Time in which a browser that is sent something must take some of it. A player that waits for so
# long asks anew for what it lacks.
STALLED_SECONDS = 300.0


class SendingSocket(socket.socket):
    """A connection to a browser, closed if a request or its response does not get on.

    Raises ConnectionResetError then, which gunicorn takes for a browser that went away.
    """

    # When all of the request that is read must have come, in monotonic seconds.
    _complete_by = 0.0
    # Since it was last asked for; gunicorn itself does not count what the kernel sends.
    sent_from_files = 0

    def begin_request(self) -> None:
        """Give the next request its time."""
        self._complete_by = monotonic() + REQUEST_SECONDS
        self.settimeout(STALLED_SECONDS)

    def recv(self, *args: Any) -> bytes:
        """Receive what has come, within the time of the request."""
        left = self._complete_by - monotonic()
        if left <= 0:
            raise _given_up()
        self.settimeout(left)
        with _giving_up():
            try:
                return super().recv(*args)
            finally:
                self.settimeout(STALLED_SECONDS)

    def sendall(self, *args: Any) -> None:
        """Send all of it."""
        with _giving_up():
            super().sendall(*args)

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send `count` bytes of `file` from `offset`; return how many. Raises OSError."""
        stop = os.fstat(file.fileno()).st_size if count is None else offset + count
        at = offset
        while at < stop:
            try:
                sent = os.sendfile(self.fileno(), file.fileno(), at, min(MOST_AT_ONCE, stop - at))
            except BlockingIOError:
                with _giving_up():
                    socket.wait_write(self.fileno(), STALLED_SECONDS, TimeoutError())
                continue
            if not sent:
                # The length was promised: to break off is the only way left to tell the truth.
                raise OSError("a file became shorter while it was sent")
            at += sent
            self.sent_from_files += sent
            if at < stop:
                gevent.sleep(0)
        return at - offset

    def take_sent_from_files(self) -> int:
        """Return the bytes sent from files since the last call."""
        sent, self.sent_from_files = self.sent_from_files, 0
        return sent


def _given_up() -> ConnectionResetError:
    return ConnectionResetError(errno.ECONNRESET, "the other side took too long")


@contextmanager
def _giving_up() -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise _given_up() from error


class SendingWorker(GeventWorker):
    """Serves each connection over a socket that can do so."""

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection."""
        kind = (client.family, client.type, client.proto)
        sending = SendingSocket(*kind, fileno=client.detach())
        sending.begin_request()
        super().handle(listener, sending, addr)

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> None:
        """Answer one request; the next one over the same connection has its own time."""
        super().handle_request(listener_name, req, sock, addr)
        sock.begin_request()
