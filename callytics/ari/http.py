"""HTTP client for ARI: a connection pool, timeouts, one retry, and errors in words."""

import json
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlencode, urlsplit

from callytics.ari.connections import (
    ConnectionLost,
    ConnectionPool,
    NotConnected,
    Response,
    UnusableAnswer,
)
from callytics.config import Config
from callytics.json_values import Json

# Usually 1 ms; on a saturated machine Asterisk took 29 s to answer the start of a recording.
CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 35.0
_CLOCK_SECONDS = 10.0


class AriError(Exception):
    """Asterisk refused a command or did not answer; the message says what to do.

    `status` is Asterisk's HTTP status, or None when there was no answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def refused(self) -> bool:
        """True if Asterisk would not carry out the command in the present state."""
        return self.status is not None and 400 <= self.status < 500

    @property
    def gone(self) -> bool:
        """True if the channel, bridge, playback or recording does not exist (any more)."""
        return self.status == 404


class AriHttp:
    """HTTP client of one Asterisk, with a pool of persistent connections; safe for greenlets.

    We choose every id in a command, so a command whose answer was lost can be sent again:
    Asterisk's 409 then means that it had carried out the first one.
    """

    def __init__(self, config: Config, pool: int = 100) -> None:
        self.url = config.ari_url
        self.app = config.ari_app
        self._has_password = bool(config.ari_password)
        login = f"{config.ari_username}:{config.ari_password or ''}".encode()
        self._headers = {"Authorization": f"Basic {b64encode(login).decode()}"}
        self._path = urlsplit(self.url).path
        self._connections = ConnectionPool(self.url, CONNECT_SECONDS, pool)

    def command(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        seconds: float = ANSWER_SECONDS,
        **query: object,
    ) -> Json:
        """Send a command and return Asterisk's JSON, None for an empty answer. Raises AriError."""
        if not self._has_password:
            raise AriError("ARI_PASSWORD: must be set to the password of the user in ari.conf")
        try:
            answer: Response | None = self._send(method, path, body, seconds, query)
        except ConnectionLost:
            # Asterisk closes a connection after 15 idle seconds, perhaps just when we used it.
            answer = self._send_again(method, path, body, seconds, query)
        except NotConnected as error:
            raise self._nobody(error) from error
        except UnusableAnswer as error:
            raise AriError(f"ARI_URL: what answers there is not ARI ({error})") from error
        return _result(answer)

    def clock(self) -> datetime | None:
        """Return the wall clock of Asterisk's host, None if it does not answer."""
        try:
            answer = self._send("GET", "/asterisk/ping", None, _CLOCK_SECONDS, {})
            return parsedate_to_datetime(answer.date).astimezone(UTC)
        except (NotConnected, ConnectionLost, UnusableAnswer, LookupError, TypeError, ValueError):
            return None

    def _send(
        self,
        method: str,
        path: str,
        body: object,
        seconds: float,
        query: Mapping[str, object],
        fresh: bool = False,
    ) -> Response:
        given = {name: value for name, value in query.items() if value is not None}
        target = f"{self._path}{path}?{urlencode(given)}"
        if body is None:
            content, headers = None, self._headers
        else:
            content = json.dumps(body).encode()
            headers = {**self._headers, "Content-Type": "application/json"}
        return self._connections.request(method, target, content, headers, seconds, fresh)

    def _send_again(
        self, method: str, path: str, body: object, seconds: float, query: Mapping[str, object]
    ) -> Response | None:
        """Send a command again; return None if Asterisk had carried out the first one."""
        try:
            answer = self._send(method, path, body, seconds, query, fresh=True)
        except (NotConnected, ConnectionLost, UnusableAnswer) as error:
            raise self._nobody(error) from error
        return None if answer.status == 409 and method == "POST" else answer

    def _nobody(self, error: Exception) -> AriError:
        why = str(error) or "no connection"
        return AriError(f"ARI_URL: nobody answers at {self.url} ({why})")


def _result(answer: Response | None) -> Json:
    if answer is None:
        return None
    if answer.status == 401:
        raise AriError("ARI_USERNAME, ARI_PASSWORD: Asterisk refused them; see ari.conf", 401)
    try:
        values = json.loads(answer.data) if answer.data else None
    except (ValueError, RecursionError) as error:
        raise AriError("ARI_URL: what answers there is not ARI", answer.status) from error
    if answer.status >= 400:
        said = values.get("message", "") if isinstance(values, dict) else ""
        raise AriError(f"Asterisk said {answer.status}: {said}", answer.status)
    return values
