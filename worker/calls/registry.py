"""Which call owns a channel, bridge, playback or recording."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from worker.asterisk.event_stream import Event

if TYPE_CHECKING:
    from worker.calls.session import Session

# Where in an event the things are that a call can own.
_OWNED = ("channel", "bridge", "playback", "recording", "replace_channel")


class Routes:
    """The way from a name in an event to the call that it is about."""

    def __init__(self) -> None:
        self._owners: dict[str, Session] = {}

    def watch(self, name: str, session: "Session") -> None:
        """Let later events about `name` go to `session`."""
        self._owners[name] = session

    def forget(self, session: "Session") -> None:
        """Let nothing go to a call that has ended."""
        for name in [name for name, owner in self._owners.items() if owner is session]:
            del self._owners[name]

    def sessions(self) -> set["Session"]:
        """The calls in progress."""
        return set(self._owners.values())

    def knows(self, name: str) -> bool:
        """Whether this belongs to a call."""
        return name in self._owners

    def of(self, event: Event) -> set["Session"]:
        """The calls that an event is about; often one, sometimes none."""
        return {self._owners[name] for name in _names_in(event) if name in self._owners}


def _names_in(event: Event) -> Iterator[str]:
    for key in _OWNED:
        thing = event.get(key)
        if thing:
            yield thing["name"] if key == "recording" else thing["id"]
    # What a page wishes of a recording.
    if name := event.get("userevent", {}).get("recording"):
        yield name
