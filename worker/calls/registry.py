"""Call registry: maps each channel, bridge, playback and recording to the call that owns it."""

from collections.abc import Iterator

from worker.asterisk.event_stream import Event
from worker.calls.session import Session

# The keys of an event under which the things stand that a call can own.
_OWNED = ("channel", "bridge", "playback", "recording", "replace_channel")


class CallRegistry:
    """Sessions of the calls in progress, by the names that stand in events."""

    def __init__(self) -> None:
        self._owners: dict[str, Session] = {}

    def register(self, name: str, session: Session) -> None:
        """Give later events about `name` to `session`."""
        self._owners[name] = session

    def unregister(self, session: Session) -> None:
        """Give no more events to a call that has ended."""
        for name in [name for name, owner in self._owners.items() if owner is session]:
            del self._owners[name]

    def sessions(self) -> set[Session]:
        """Return the calls in progress."""
        return set(self._owners.values())

    def __contains__(self, name: str) -> bool:
        """Return True if a call owns this channel, bridge, playback or recording."""
        return name in self._owners

    def sessions_for(self, event: Event) -> set[Session]:
        """Return the calls that an event is about; often one, sometimes none."""
        return {self._owners[name] for name in _names_in(event) if name in self._owners}


def _names_in(event: Event) -> Iterator[str]:
    for key in _OWNED:
        thing = event.get(key)
        if thing:
            yield thing["name"] if key == "recording" else thing["id"]
    # A page's request to pause or resume a recording.
    if name := event.get("userevent", {}).get("recording"):
        yield name
