"""gunicorn's gevent worker, which lets the kernel send files.

gevent's own `sendfile` reads 8 kB at a time and writes them. The kernel sends a recording without
a copy of it in this process, in less time and with no memory for each listener.
"""

import os
from typing import Any

import gevent
from gevent import socket
from gunicorn.workers.ggevent import GeventWorker

# So many bytes before others get their turn: reading them may have to wait for the disk.
MOST_AT_ONCE = 1024 * 1024


class SendingSocket(socket.socket):
    """A connection to a browser."""

    # Since it was last asked for; gunicorn itself does not count what the kernel sends.
    sent_from_files = 0

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send `count` bytes of `file` from `offset`; return how many. Raises OSError."""
        stop = os.fstat(file.fileno()).st_size if count is None else offset + count
        at = offset
        while at < stop:
            try:
                sent = os.sendfile(self.fileno(), file.fileno(), at, min(MOST_AT_ONCE, stop - at))
            except BlockingIOError:
                socket.wait_write(self.fileno())
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


class SendingWorker(GeventWorker):
    """Serves each connection over a socket that can do so."""

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        """Serve one connection."""
        kind = (client.family, client.type, client.proto)
        super().handle(listener, SendingSocket(*kind, fileno=client.detach()), addr)
