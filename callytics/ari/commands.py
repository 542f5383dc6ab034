"""Commands to Asterisk: the REST half of ARI. Events are heard in `worker/events.py`."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from callytics.ari.http import AriError, AriHttp

__all__ = ["Ari", "AriError"]


class Ari(AriHttp):
    """What we ask of Asterisk. Every command raises AriError."""

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

    def endpoints(self) -> list[dict[str, Any]]:
        """Every endpoint that Asterisk knows: technology, resource and state of each."""
        return self.command("GET", "/endpoints", seconds=5)

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

    def pause_recording(self, name: str) -> None:
        """Let a recording leave out what is said from now on."""
        self.command("POST", f"/recordings/live/{_part(name)}/pause", seconds=5)

    def resume_recording(self, name: str) -> None:
        """End what `pause_recording` began."""
        self.command("DELETE", f"/recordings/live/{_part(name)}/pause", seconds=5)

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

    def user_event(self, name: str, says: Mapping[str, str] | None = None) -> None:
        """Send the application an event, which comes back on the WebSocket if that still lives."""
        path, body = f"/events/user/{_part(name)}", {"variables": dict(says)} if says else None
        self.command("POST", path, body=body, seconds=5, application=self.app)


def _part(text: str) -> str:
    return quote(text, safe="")
