"""Event stream: the ARI WebSocket, with a heartbeat that notices when Asterisk falls silent."""

import json
import logging
import ssl
from base64 import b64encode
from collections.abc import Callable
from time import monotonic
from urllib.parse import urlencode

import gevent
import websocket

from callytics.ari.commands import Ari, AriError
from callytics.config import Config
from callytics.json_values import JsonObject
from worker.asterisk.bounded_socket import BoundedSocket
from worker.support.throttled_log import ThrottledLog

log = logging.getLogger(__name__)

# An event as Asterisk sends it, in JSON; `type` says which keys it has.
Event = JsonObject

HEARTBEAT = "callytics-heartbeat"
# A heartbeat comes back in 2 ms. Two missed ones and their check fit into 10 s.
BEAT_SECONDS = 3.0
SILENT_SECONDS = 7.0
LONGEST_RETRY_SECONDS = 10.0
# How often a worker that stands by asks whether it is to lead.
STANDBY_SECONDS = 5.0
# Event types that no handler reads; on a busy Asterisk they are most of the traffic.
UNUSED = (
    "BridgeCreated",
    "BridgeDestroyed",
    "ChannelCallerId",
    "ChannelConnectedLine",
    "ChannelDialplan",
    "ChannelEnteredBridge",
    "ChannelStateChange",
    "ChannelVarset",
    "Dial",
    "PlaybackContinuing",
    "PlaybackStarted",
)


class ApplicationReplaced(Exception):
    """Another worker took the application: Asterisk would never send this one an event again."""


class StandBy(Exception):
    """Another worker leads the calls of this Asterisk; the message says which."""


class EventStream:
    """One WebSocket to Asterisk, reopened for as long as the worker lives.

    `before_connect` is called with Asterisk's info before each connect, and raises StandBy while
    another worker leads. `on_connect` is called with Asterisk's info after each connect, `on_event`
    with each event, `on_disconnect` with the reason as a sentence. None of these three may block:
    when the reader stalls, Asterisk stops writing to the WebSocket for good.
    """

    def __init__(
        self,
        config: Config,
        ari: Ari,
        before_connect: Callable[[Event], None],
        on_connect: Callable[[Event], None],
        on_event: Callable[[Event], None],
        on_disconnect: Callable[[str], None],
    ) -> None:
        self._config, self._ari = config, ari
        self._before_connect = before_connect
        self._on_connect, self._on_event = on_connect, on_event
        self._on_disconnect = on_disconnect
        self._received_at = 0.0
        self._log = ThrottledLog(log)

    def run(self) -> ApplicationReplaced:
        """Receive events and reconnect, until another worker takes the application."""
        pause = 0.5
        while True:
            began = monotonic()
            try:
                self._receive_events()
            except ApplicationReplaced as replaced:
                return replaced
            except StandBy as standby:
                self._log.waiting(str(standby))
                gevent.sleep(STANDBY_SECONDS)
                continue
            except (AriError, OSError, websocket.WebSocketException) as error:
                reason = self._reason(error)
                self._log.problem(reason)
                self._on_disconnect(reason)
            pause = 0.5 if monotonic() - began > 30 else min(pause * 2, LONGEST_RETRY_SECONDS)
            gevent.sleep(pause)

    def _receive_events(self) -> None:
        """Connect and receive until the connection ends, which always raises."""
        # REST first: only its errors tell a wrong password from a wrong address.
        self._before_connect(self._ari.info())
        socket = self._connect()
        self._received_at = monotonic()
        heartbeat = gevent.spawn(self._send_heartbeats, socket)
        try:
            self._filter_events()
            info = self._ari.info()
            version = info["system"]["version"]
            self._log.recovered(f"connected to Asterisk {version}", always=True)
            self._on_connect(info)
            while True:
                opcode, data = socket.recv_data()
                self._receive(data if opcode == websocket.ABNF.OPCODE_TEXT else b"")
        finally:
            heartbeat.kill()
            _close(socket)

    def _filter_events(self) -> None:
        """Asterisk forgets its event filter while no call is alive, so each connect sets it."""
        try:
            self._ari.filter_out_events(UNUSED)
        except AriError as error:
            # The worker is busier without it, but works.
            log.warning("Asterisk does not filter its events: %s", error)

    def _connect(self) -> websocket.WebSocket:
        query = urlencode({"app": self._config.ari_app, "subscribeAll": "false"})
        user = f"{self._config.ari_username}:{self._config.ari_password}"
        credentials = b64encode(user.encode()).decode()
        url = self._config.ari_url.replace("http", "ws", 1)
        return websocket.create_connection(
            f"{url}/events?{query}",
            # If all of Asterisk hangs, the heartbeat command hangs too and notices nothing.
            timeout=SILENT_SECONDS,
            header={"Authorization": f"Basic {credentials}"},
            enable_multithread=True,
            class_=BoundedSocket,
            # Asterisk is never behind a proxy that the host has set for the web.
            http_no_proxy=["*"],
            # The check is Python code of the library, and takes as long as all else of an event.
            skip_utf8_validation=True,
        )

    def _receive(self, text: bytes) -> None:
        if not text:
            raise websocket.WebSocketConnectionClosedException("Asterisk closed the connection")
        self._received_at = monotonic()
        try:
            event = json.loads(text)
            kind = event["type"]
        except (ValueError, TypeError, KeyError, RecursionError):
            log.warning("skipped an event that is not one (%d bytes)", len(text))
            return
        if kind == "ApplicationReplaced":
            raise ApplicationReplaced(
                "another worker took the application; two cannot share one name"
            )
        if event.get("eventname") != HEARTBEAT:
            self._on_event(event)

    def _send_heartbeats(self, socket: websocket.WebSocket) -> None:
        """Send a user event to this application every few seconds; close if none comes back.

        Asterisk can stop writing to a WebSocket whose TCP connection stays up; only an event sent
        by the worker itself tells that from a quiet hour.
        """
        while not self._is_silent():
            try:
                self._ari.user_event(HEARTBEAT)
            except AriError as error:
                log.debug("heartbeat: %s", error)
            gevent.sleep(BEAT_SECONDS)
        socket.shutdown()  # type: ignore[no-untyped-call]  # the library has no type for it

    def _is_silent(self) -> bool:
        return monotonic() - self._received_at >= SILENT_SECONDS

    def _reason(self, error: Exception) -> str:
        if isinstance(error, AriError):
            return str(error)
        if isinstance(error, ssl.SSLError):
            return f"ARI_URL: {self._config.ari_url} has no usable certificate"
        if isinstance(error, websocket.WebSocketBadStatusException):
            status = error.status_code
            return f"ARI_URL: {self._config.ari_url} answers {status} instead of sending events"
        if self._is_silent():
            return f"no event came from Asterisk at {self._config.ari_url} for {SILENT_SECONDS:g} s"
        return f"the connection to Asterisk at {self._config.ari_url} was lost"


def _close(socket: websocket.WebSocket) -> None:
    """Close a WebSocket and its descriptor.

    Once Asterisk has sent its close frame, the library takes the WebSocket for closed and leaves
    the descriptor to the garbage collector.
    """
    connection = socket.sock
    socket.close(timeout=1)
    if connection is not None:
        connection.close()
