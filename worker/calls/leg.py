"""Leg: a channel that was dialed for a call."""

from dataclasses import dataclass


class CallerGone(Exception):
    """The caller's channel ended: what is left to do for this call is to clean up."""


@dataclass
class Leg:
    """A channel that was dialed for a call. The journal holds its fields by these names."""

    channel_id: str
    destination: str
    # Asterisk has had the channel, so if it lists none now, the channel is gone.
    placed: bool = False
    # Answered.
    up: bool = False
    gone: bool = False
    # In the bridge with the caller.
    joined: bool = False
    # Asterisk refused to bridge it with the caller, and it was hung up.
    refused: bool = False
    # Q.850 cause of its hang-up; 0 until then.
    cause: int = 0
