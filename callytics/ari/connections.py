"""Connection pool: persistent HTTP connections to one host.

Of the standard library, since a command costs the worker a third of the CPU time that it takes
through urllib3, and every call is some ten commands.
"""

import ssl
import weakref
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    HTTPSConnection,
    IncompleteRead,
)
from time import monotonic
from typing import NamedTuple
from urllib.parse import urlsplit

# Asterisk closes a connection after 15 idle seconds.
IDLE_SECONDS = 10.0
# Largest answer: the list of some ten thousand channels.
MOST_BYTES = 32 << 20
_PIECE_BYTES = 1 << 16


class NotConnected(Exception):
    """The host cannot be reached, or did not answer in time; `late` is True for the latter."""

    def __init__(self, late: bool) -> None:
        super().__init__("it took too long" if late else "no connection")
        self.late = late


class ConnectionLost(Exception):
    """The connection broke before the answer, so the request may have been carried out."""


class UnusableAnswer(Exception):
    """The answer is larger than any of the host's, or does not come to its end."""


class Response(NamedTuple):
    """An answer to a request."""

    status: int
    date: str
    data: bytes


class _Idle(NamedTuple):
    since: float
    connection: HTTPConnection


class ConnectionPool:
    """Connections to the host of a URL; safe for greenlets and threads, without a limit."""

    def __init__(self, url: str, connect_seconds: float, keep: int) -> None:
        """`keep` is how many connections are kept open while they are idle."""
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._connect_seconds, self._keep = connect_seconds, keep
        # The one used last is taken first, so that those that are not needed grow old.
        self._idle: list[_Idle] = []
        weakref.finalize(self, _close, self._idle)

    def request(
        self,
        method: str,
        target: str,
        body: bytes | None,
        headers: dict[str, str],
        seconds: float,
        fresh: bool = False,
    ) -> Response:
        """Send a request and return the answer.

        Raises NotConnected, ConnectionLost, UnusableAnswer. `seconds` is the longest wait for the
        answer, and then for its end. A `fresh` connection is one that was not idle.
        """
        connection = self._connected(fresh)
        try:
            connection.sock.settimeout(seconds)
            connection.request(method, target, body, headers)
            answer = connection.getresponse()
            data = _read(answer, monotonic() + seconds)
            response = Response(answer.status, answer.getheader("Date", ""), data)
        except BaseException as error:
            connection.close()
            if isinstance(error, TimeoutError):
                raise NotConnected(late=True) from error
            if isinstance(error, (OSError, HTTPException)):
                raise ConnectionLost from error
            raise
        self._release(connection)
        return response

    def _connected(self, fresh: bool) -> HTTPConnection:
        while not fresh and self._idle:
            try:
                idle = self._idle.pop()
            except IndexError:
                # Another thread has taken it.
                break
            if monotonic() - idle.since < IDLE_SECONDS:
                return idle.connection
            idle.connection.close()
        connection = self._new_connection()
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise NotConnected(late=isinstance(error, TimeoutError)) from error
        return connection

    def _new_connection(self) -> HTTPConnection:
        if self._tls is None:
            return HTTPConnection(self._host, self._port, timeout=self._connect_seconds)
        return HTTPSConnection(
            self._host, self._port, timeout=self._connect_seconds, context=self._tls
        )

    def _release(self, connection: HTTPConnection) -> None:
        # Without a socket it was closed as the answer demanded.
        if connection.sock is None or len(self._idle) >= self._keep:
            connection.close()
        else:
            self._idle.append(_Idle(monotonic(), connection))


def _read(answer: HTTPResponse, until: float) -> bytes:
    """Read the body of an answer. Raises OSError, HTTPException, UnusableAnswer."""
    data = bytearray()
    while piece := answer.read1(_PIECE_BYTES):
        data += piece
        if len(data) > MOST_BYTES:
            raise UnusableAnswer(f"its answer has more than {MOST_BYTES} bytes")
        if answer.length == 0:
            break
        if monotonic() > until:
            raise UnusableAnswer("its answer does not come to its end")
    if answer.length:
        raise IncompleteRead(bytes(data), answer.length)
    # Read piece by piece, it does not notice its end, and the connection could not be used again.
    answer.close()
    return bytes(data)


def _close(idle: list[_Idle]) -> None:
    for _, connection in idle:
        connection.close()
