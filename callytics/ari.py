"""Commands to Asterisk: the REST half of ARI. Events are heard in `worker/events.py`."""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import urllib3
from urllib3.exceptions import HTTPError, ProtocolError

from callytics.config import Config

# A command is answered in about 1 ms; on a saturated machine a recording was seen to take 29 s.
CONNECT_SECONDS, ANSWER_SECONDS = 3.0, 35.0


class AriError(Exception):
    """Asterisk refused a command or did not answer; the message says what to do.

    `status` is Asterisk's HTTP status, or None when there was no answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def gone(self) -> bool:
        """The channel, bridge, playback or recording is not there (any more)."""
        return self.status == 404


class Ari:
    """One Asterisk, spoken to over a pool of kept connections; safe for many greenlets.

    Every id in a command is chosen by us, so a command whose answer was lost is sent again:
    Asterisk's 409 then means that the first one was carried out.
    """

    def __init__(self, config: Config, pool: int = 100) -> None:
        self.url = config.ari_url
        self.app = config.ari_app
        self._has_password = bool(config.ari_password)
        login = f"{config.ari_username}:{config.ari_password or ''}".encode()
        # urllib3 itself: a command through requests costs twice the time, and the first words of
        # a recording wait for three of them. It asks neither a proxy nor a .netrc of the host.
        # Its own helper would write the login in Latin-1, which lacks most letters.
        self._http = urllib3.PoolManager(
            num_pools=1,
            maxsize=pool,
            headers={"Authorization": f"Basic {b64encode(login).decode()}"},
            retries=False,
        )

    def command(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        seconds: float = ANSWER_SECONDS,
        **query: Any,
    ) -> Any:
        """Send one command and return Asterisk's JSON, or None. Raises AriError."""
        if not self._has_password:
            raise AriError("ARI_PASSWORD: must be set to the password of the user in ari.conf")
        try:
            answer = self._send(method, path, body, seconds, query)
        except ProtocolError:
            # Asterisk closes a kept connection after 15 idle seconds, perhaps just now.
            answer = self._send_again(method, path, body, seconds, query)
        except HTTPError as error:
            raise AriError(f"ARI_URL: nobody answers at {self.url} ({_kind(error)})") from error
        return _result(answer)

    def _send(
        self, method: str, path: str, body: Any, seconds: float, query: Mapping[str, Any]
    ) -> urllib3.BaseHTTPResponse:
        given = {name: value for name, value in query.items() if value is not None}
        return self._http.request(
            method,
            f"{self.url}{path}?{urlencode(given)}",
            json=body,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=seconds),
        )

    def _send_again(
        self, method: str, path: str, body: Any, seconds: float, query: Mapping[str, Any]
    ) -> urllib3.BaseHTTPResponse | None:
        """None where Asterisk says that it had carried out the first."""
        try:
            answer = self._send(method, path, body, seconds, query)
        except HTTPError as error:
            raise AriError(f"ARI_URL: nobody answers at {self.url} ({_kind(error)})") from error
        return None if answer.status == 409 and method == "POST" else answer

    # What there is

    def info(self) -> dict[str, Any]:
        """Version and start time of this Asterisk."""
        info = self.command("GET", "/asterisk/info", seconds=10)
        try:
            _ = info["system"]["version"], info["status"]["startup_time"]
        except (KeyError, TypeError) as error:
            raise AriError("ARI_URL: what answers there is not ARI") from error
        return info

    def channels(self) -> list[dict[str, Any]]:
        """Every channel there is."""
        return self.command("GET", "/channels")

    def channel(self, channel_id: str) -> dict[str, Any]:
        """One channel."""
        return self.command("GET", f"/channels/{_part(channel_id)}")

    def bridges(self) -> list[dict[str, Any]]:
        """Every bridge there is."""
        return self.command("GET", "/bridges")

    def device_state(self, device: str) -> str:
        """What Asterisk knows of a device such as `PJSIP/alice`: NOT_INUSE, INUSE, UNAVAILABLE…"""
        return self.command("GET", f"/deviceStates/{_part(device)}", seconds=5)["state"]

    # Channels

    def originate(
        self,
        endpoint: str,
        channel_id: str,
        app_args: str,
        ring_seconds: int,
        caller_id: str = "",
        originator: str | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Ring `endpoint`; when it answers it enters our application with `app_args`."""
        return self.command(
            "POST",
            f"/channels/{_part(channel_id)}",
            body={"variables": dict(variables or {})},
            endpoint=endpoint,
            app=self.app,
            appArgs=app_args,
            timeout=ring_seconds,
            callerId=caller_id or None,
            originator=originator,
        )

    def originate_to_dialplan(
        self, endpoint: str, channel_id: str, context: str, extension: str, caller_id: str
    ) -> dict[str, Any]:
        """Ring `endpoint`; when it answers it goes to `extension` in the dialplan."""
        return self.command(
            "POST",
            f"/channels/{_part(channel_id)}",
            endpoint=endpoint,
            context=context,
            extension=extension,
            priority=1,
            callerId=caller_id,
            timeout=30,
        )

    def answer(self, channel_id: str) -> None:
        """Answer an incoming channel."""
        self.command("POST", f"/channels/{_part(channel_id)}/answer")

    def ring(self, channel_id: str) -> None:
        """Let a channel hear ringing."""
        self.command("POST", f"/channels/{_part(channel_id)}/ring")

    def stop_ringing(self, channel_id: str) -> None:
        """End what `ring` began."""
        self.command("DELETE", f"/channels/{_part(channel_id)}/ring")

    def hang_up(self, channel_id: str, reason: str = "normal") -> None:
        """End a channel. `reason`: normal, busy, congestion, no_answer, answered_elsewhere."""
        self.command("DELETE", f"/channels/{_part(channel_id)}", reason=reason)

    def play(self, channel_id: str, media: str, playback_id: str) -> None:
        """Play a prompt to one channel."""
        path = f"/channels/{_part(channel_id)}/play/{_part(playback_id)}"
        self.command("POST", path, media=media)

    def start_music(self, channel_id: str, music: str) -> None:
        """Let a channel hear music on hold of the class `music`."""
        self.command("POST", f"/channels/{_part(channel_id)}/moh", mohClass=music)

    def stop_music(self, channel_id: str) -> None:
        """End what `start_music` began."""
        self.command("DELETE", f"/channels/{_part(channel_id)}/moh")

    def set_variable(self, channel_id: str, name: str, value: str) -> None:
        """Set a channel variable; it lives as long as the channel, whatever happens to us."""
        path = f"/channels/{_part(channel_id)}/variable"
        self.command("POST", path, variable=name, value=value)

    def variable(self, channel_id: str, name: str) -> str:
        """A channel variable, empty when it is not set."""
        path = f"/channels/{_part(channel_id)}/variable"
        try:
            return self.command("GET", path, variable=name)["value"]
        except AriError as error:
            if error.gone:
                return ""
            raise

    def continue_in_dialplan(self, channel_id: str) -> None:
        """Let a channel go on with the dialplan's next line."""
        self.command("POST", f"/channels/{_part(channel_id)}/continue")

    # Bridges

    def create_bridge(self, bridge_id: str, name: str) -> None:
        """Make a mixing bridge."""
        self.command("POST", f"/bridges/{_part(bridge_id)}", type="mixing", name=name)

    def hear_bridge(self, bridge_id: str) -> None:
        """Hear of a bridge from now to its end, and not only while a channel is in it."""
        path = f"/applications/{_part(self.app)}/subscription"
        self.command("POST", path, seconds=5, eventSource=f"bridge:{bridge_id}")

    def add_channels(self, bridge_id: str, channel_ids: Sequence[str]) -> None:
        """Let these channels hear each other."""
        path = f"/bridges/{_part(bridge_id)}/addChannel"
        self.command("POST", path, channel=",".join(channel_ids))

    def delete_bridge(self, bridge_id: str) -> None:
        """Remove a bridge; channels in it stay, in silence."""
        self.command("DELETE", f"/bridges/{_part(bridge_id)}")

    # Recordings

    def record_bridge(self, bridge_id: str, name: str, audio_format: str) -> None:
        """Record all that is said in a bridge, mixed."""
        self.command("POST", f"/bridges/{_part(bridge_id)}/record", name=name, format=audio_format)

    def record_channel(
        self,
        channel_id: str,
        name: str,
        audio_format: str,
        max_seconds: int,
        max_silence_seconds: int,
    ) -> None:
        """Record what one channel says, after a beep, until `#`, silence or the longest time."""
        self.command(
            "POST",
            f"/channels/{_part(channel_id)}/record",
            name=name,
            format=audio_format,
            maxDurationSeconds=max_seconds,
            maxSilenceSeconds=max_silence_seconds,
            beep="true",
            terminateOn="#",
        )

    def stop_recording(self, name: str) -> None:
        """End a recording and keep it."""
        self.command("POST", f"/recordings/live/{_part(name)}/stop")

    def live_recording(self, name: str) -> dict[str, Any] | None:
        """A recording that Asterisk has open, or None."""
        try:
            return self.command("GET", f"/recordings/live/{_part(name)}", seconds=10)
        except AriError as error:
            if error.gone:
                return None
            raise

    def is_playing(self, playback_id: str) -> bool:
        """Whether a prompt is still being played."""
        try:
            self.command("GET", f"/playbacks/{_part(playback_id)}", seconds=10)
        except AriError as error:
            if error.gone:
                return False
            raise
        return True

    # The application

    def hear_less(self, event_types: Sequence[str]) -> None:
        """Keep events of these types from us. Asterisk forgets it when no call was alive."""
        body = {"disallowed": [{"type": event_type} for event_type in event_types]}
        self.command("PUT", f"/applications/{_part(self.app)}/eventFilter", body=body)

    def user_event(self, name: str) -> None:
        """Send ourselves an event: what must come back on the WebSocket if it still lives."""
        self.command("POST", f"/events/user/{_part(name)}", seconds=5, application=self.app)


def _part(text: str) -> str:
    return quote(text, safe="")


def _kind(error: Exception) -> str:
    return (
        "it took too long"
        if isinstance(error, urllib3.exceptions.TimeoutError)
        else "no connection"
    )


def _result(answer: urllib3.BaseHTTPResponse | None) -> Any:
    if answer is None:
        return None
    if answer.status == 401:
        raise AriError("ARI_USERNAME, ARI_PASSWORD: Asterisk refused them; see ari.conf", 401)
    try:
        values = answer.json() if answer.data else None
    except ValueError as error:
        raise AriError("ARI_URL: what answers there is not ARI", answer.status) from error
    if answer.status >= 400:
        said = values.get("message", "") if isinstance(values, dict) else ""
        raise AriError(f"Asterisk said {answer.status}: {said}", answer.status)
    return values
