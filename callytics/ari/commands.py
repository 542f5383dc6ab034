"""Commands to Asterisk over ARI, its REST interface."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from callytics.ari.http import AriError, AriHttp
from callytics.json_values import Json, JsonObject

__all__ = ["Ari", "AriError"]


class Ari(AriHttp):
    """ARI commands. Each raises AriError if Asterisk refuses it or does not answer."""

    # State of Asterisk

    def info(self) -> JsonObject:
        """Return the version and the start time of this Asterisk, among others."""
        info: JsonObject = self.command("GET", "/asterisk/info", seconds=10)
        try:
            _ = info["system"]["version"], info["status"]["startup_time"]
        except (KeyError, TypeError) as error:
            raise AriError("ARI_URL: what answers there is not ARI") from error
        return info

    def channels(self) -> list[JsonObject]:
        """Return all channels."""
        return _objects(self.command("GET", "/channels"))

    def channel(self, channel_id: str) -> JsonObject:
        """Return one channel."""
        return _object(self.command("GET", f"/channels/{_part(channel_id)}"))

    def bridges(self) -> list[JsonObject]:
        """Return all bridges."""
        return _objects(self.command("GET", "/bridges"))

    def device_state(self, device: str) -> str:
        """Return the state of a device such as `PJSIP/alice`: NOT_INUSE, INUSE, UNAVAILABLE…"""
        found = _object(self.command("GET", f"/deviceStates/{_part(device)}", seconds=5))
        return str(found.get("state", ""))

    def endpoints(self) -> list[JsonObject]:
        """Return all endpoints, with technology, resource and state of each."""
        return _objects(self.command("GET", "/endpoints", seconds=5))

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
    ) -> None:
        """Ring `endpoint`; if it answers, it enters our application with `app_args`."""
        self.command(
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
    ) -> None:
        """Ring `endpoint`; if it answers, it goes to `extension` in the dialplan."""
        self.command(
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
        """Play ringing to a channel."""
        self.command("POST", f"/channels/{_part(channel_id)}/ring")

    def stop_ringing(self, channel_id: str) -> None:
        """Stop the ringing that `ring` started."""
        self.command("DELETE", f"/channels/{_part(channel_id)}/ring")

    def hang_up(self, channel_id: str, reason: str = "normal") -> None:
        """Hang up. `reason`: normal, busy, congestion, no_answer, answered_elsewhere."""
        self.command("DELETE", f"/channels/{_part(channel_id)}", reason=reason)

    def play(self, channel_id: str, media: str, playback_id: str) -> None:
        """Play a prompt to one channel."""
        path = f"/channels/{_part(channel_id)}/play/{_part(playback_id)}"
        self.command("POST", path, media=media)

    def start_music(self, channel_id: str, music: str) -> None:
        """Play music on hold of the class `music` to a channel."""
        self.command("POST", f"/channels/{_part(channel_id)}/moh", mohClass=music)

    def stop_music(self, channel_id: str) -> None:
        """Stop the music on hold."""
        self.command("DELETE", f"/channels/{_part(channel_id)}/moh")

    # Bridges

    def create_bridge(self, bridge_id: str, name: str) -> None:
        """Create a mixing bridge."""
        self.command("POST", f"/bridges/{_part(bridge_id)}", type="mixing", name=name)

    def subscribe_to_bridge(self, bridge_id: str) -> None:
        """Subscribe to the events of a bridge, also while no channel is in it."""
        path = f"/applications/{_part(self.app)}/subscription"
        self.command("POST", path, seconds=5, eventSource=f"bridge:{bridge_id}")

    def add_channels(self, bridge_id: str, channel_ids: Sequence[str]) -> None:
        """Add channels to a bridge, so that they hear each other."""
        path = f"/bridges/{_part(bridge_id)}/addChannel"
        self.command("POST", path, channel=",".join(channel_ids))

    def delete_bridge(self, bridge_id: str) -> None:
        """Delete a bridge; the channels in it live on, in silence."""
        self.command("DELETE", f"/bridges/{_part(bridge_id)}")

    # Recordings

    def record_bridge(self, bridge_id: str, name: str, audio_format: str) -> None:
        """Start to record a bridge, all channels mixed."""
        self.command("POST", f"/bridges/{_part(bridge_id)}/record", name=name, format=audio_format)

    def record_channel(
        self,
        channel_id: str,
        name: str,
        audio_format: str,
        max_seconds: int,
        max_silence_seconds: int,
    ) -> None:
        """Record one channel after a beep, until it sends `#`, is silent or the time is over."""
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
        """Stop a recording and keep its file."""
        self.command("POST", f"/recordings/live/{_part(name)}/stop")

    def pause_recording(self, name: str) -> None:
        """Pause a recording: Asterisk writes no audio until it is resumed."""
        self.command("POST", f"/recordings/live/{_part(name)}/pause", seconds=5)

    def resume_recording(self, name: str) -> None:
        """Resume a paused recording."""
        self.command("DELETE", f"/recordings/live/{_part(name)}/pause", seconds=5)

    def live_recording(self, name: str) -> JsonObject | None:
        """Return a recording that is in progress, or None."""
        try:
            return _object(self.command("GET", f"/recordings/live/{_part(name)}", seconds=10))
        except AriError as error:
            if error.gone:
                return None
            raise

    def is_playing(self, playback_id: str) -> bool:
        """Return True if a prompt is still being played."""
        try:
            self.command("GET", f"/playbacks/{_part(playback_id)}", seconds=10)
        except AriError as error:
            if error.gone:
                return False
            raise
        return True

    # The application

    def filter_out_events(self, event_types: Sequence[str]) -> None:
        """Filter out events of these types, until Asterisk unregisters the idle application."""
        body = {"disallowed": [{"type": event_type} for event_type in event_types]}
        self.command("PUT", f"/applications/{_part(self.app)}/eventFilter", body=body)

    def user_event(self, name: str, variables: Mapping[str, str] | None = None) -> None:
        """Send a user event to the application; it arrives on the WebSocket, if that is alive."""
        body = {"variables": dict(variables)} if variables else None
        path = f"/events/user/{_part(name)}"
        self.command("POST", path, body=body, seconds=5, application=self.app)


def _object(values: Json) -> JsonObject:
    """Return the object that Asterisk answered with. Raises AriError for anything else."""
    if not isinstance(values, dict):
        raise AriError("ARI_URL: what answers there is not ARI")
    return values


def _objects(values: Json) -> list[JsonObject]:
    """Return the list of objects that Asterisk answered with. Raises AriError."""
    if not isinstance(values, list):
        raise AriError("ARI_URL: what answers there is not ARI")
    return [_object(value) for value in values]


def _part(text: str) -> str:
    return quote(text, safe="")
