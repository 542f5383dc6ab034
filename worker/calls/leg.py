"""Who takes part in a call, and the end of the one for whom all is done."""

from dataclasses import dataclass


class CallerGone(Exception):
    """The caller's channel ended; nothing more can be done for this call but to tidy up."""


@dataclass
class Leg:
    """A channel that we rang for the call."""

    channel_id: str
    destination: str
    # Asterisk has the channel, so that its absence means that it has gone.
    placed: bool = False
    up: bool = False
    gone: bool = False
    joined: bool = False
    # Asterisk would not let it talk with the caller, and so we hung up.
    refused: bool = False
    cause: int = 0
