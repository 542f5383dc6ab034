"""Hears Asterisk's events over the ARI WebSocket, and knows when nobody speaks any more."""

import json
import logging
import ssl
from base64 import b64encode
from collections.abc import Callable
from time import monotonic
from typing import Any
from urllib.parse import urlencode

import gevent
import websocket

from callytics.ari.commands import Ari, AriError
from callytics.config import Config
from worker.support.throttled_log import Notices

log = logging.getLogger(__name__)

Event = dict[str, Any]

HEARTBEAT = "callytics-heartbeat"
# A beat comes back in 2 ms. Two missed ones and the look at them fit into 10 s.
BEAT_SECONDS = 3.0
SILENT_SECONDS = 7.0
LONGEST_PAUSE_SECONDS = 10.0
# Events that no call path reads; on a busy Asterisk they are most of the traffic.
UNREAD = (
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


class Replaced(Exception):
    """Another worker took the application: this one would hear nothing for ever."""


class Listener:
    """Keeps one WebSocket to Asterisk open for as long as the worker lives.

    `on_connect` is called with Asterisk's info after each connect, `on_event` for each event,
    `on_disconnect` with the reason in words. None of them may block.
    """

    def __init__(
        self,
        config: Config,
        ari: Ari,
        on_connect: Callable[[Event], None],
        on_event: Callable[[Event], None],
        on_disconnect: Callable[[str], None],
    ) -> None:
        self._config, self._ari = config, ari
        self._on_connect, self._on_event = on_connect, on_event
        self._on_disconnect = on_disconnect
        self._socket: websocket.WebSocket | None = None
        self._heard_at = 0.0
        self._notices = Notices(log)

    def run(self) -> Replaced:
        """Listen, reconnecting, until another worker takes our place."""
        pause = 0.5
        while True:
            began = monotonic()
            try:
                self._listen()
            except Replaced as replaced:
                return replaced
            except (AriError, OSError, websocket.WebSocketException) as error:
                reason = self._in_words(error)
                self._notices.warn(reason)
                self._on_disconnect(reason)
            pause = 0.5 if monotonic() - began > 30 else min(pause * 2, LONGEST_PAUSE_SECONDS)
            gevent.sleep(pause)

    def _listen(self) -> None:
        """One connection, from its beginning to its end."""
        # Asked first: a wrong password or address is told in words only by the REST half.
        self._ari.info()
        self._socket = self._connect()
        self._heard_at = monotonic()
        heartbeat = gevent.spawn(self._beat)
        try:
            self._hear_less()
            info = self._ari.info()
            self._notices.good(f"connected to Asterisk {info['system']['version']}")
            self._on_connect(info)
            while True:
                self._receive(self._socket.recv())
        finally:
            heartbeat.kill()
            self._socket.close(timeout=1)

    def _hear_less(self) -> None:
        try:
            self._ari.hear_less(UNREAD)
        except AriError as error:
            # Only busier without it.
            log.warning("Asterisk does not filter its events: %s", error)

    def _connect(self) -> websocket.WebSocket:
        query = urlencode({"app": self._config.ari_app, "subscribeAll": "false"})
        user = f"{self._config.ari_username}:{self._config.ari_password}"
        credentials = b64encode(user.encode()).decode()
        url = self._config.ari_url.replace("http", "ws", 1)
        return websocket.create_connection(
            f"{url}/events?{query}",
            # Also a heartbeat that hangs with the rest of Asterisk must not hide the silence.
            timeout=SILENT_SECONDS,
            header={"Authorization": f"Basic {credentials}"},
            enable_multithread=True,
            # No proxy of the host stands between us and Asterisk.
            http_no_proxy=["*"],
        )

    def _receive(self, text: str | bytes) -> None:
        if not text:
            raise websocket.WebSocketConnectionClosedException("Asterisk closed the connection")
        self._heard_at = monotonic()
        try:
            event = json.loads(text)
            kind = event["type"]
        except (ValueError, TypeError, KeyError, RecursionError):
            log.warning("skipped an event that is not one (%d bytes)", len(text))
            return
        if kind == "ApplicationReplaced":
            raise Replaced("another worker took the application; two cannot share one name")
        if event.get("eventname") != HEARTBEAT:
            self._on_event(event)

    def _beat(self) -> None:
        """Send ourselves an event again and again, and hang up when none comes back.

        Asterisk can stop writing to a WebSocket whose TCP connection stays up; only an event of
        our own tells that from a quiet hour.
        """
        while not self._is_silent():
            try:
                self._ari.user_event(HEARTBEAT)
            except AriError as error:
                log.debug("heartbeat: %s", error)
            gevent.sleep(BEAT_SECONDS)
        self._socket.shutdown()

    def _is_silent(self) -> bool:
        return monotonic() - self._heard_at >= SILENT_SECONDS

    def _in_words(self, error: Exception) -> str:
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
