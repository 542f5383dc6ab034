"""Identifiers of calls and recordings.

Callytics chooses them itself, so a command to Asterisk can be sent again. A uid becomes part of a
file path and of a URL, so its characters are limited to those that need no quoting in either.
"""

import re
import secrets

UID_PATTERN = r"[A-Za-z0-9_-]{1,64}"
_UID = re.compile(UID_PATTERN, re.ASCII)
_NEW_UID = r"[0-9a-f]{20}"
_PLACED = "callytics-placed-"
_PLACED_CHANNEL = re.compile(_PLACED + _NEW_UID)


def new_uid() -> str:
    """Return a random uid of 20 hexadecimal digits."""
    return secrets.token_hex(10)


def is_uid(text: str) -> bool:
    """Return True if `text` can be the uid of a call or a recording."""
    return _UID.fullmatch(text) is not None


def new_placed_channel() -> str:
    """Return an id for the channel of a person for whom Callytics places a call."""
    return f"{_PLACED}{new_uid()}"


def is_placed_channel(channel_id: str) -> bool:
    """Return True if Callytics itself made the channel to place a call.

    Only a client of ARI can choose the id of a channel; those of callers are Asterisk's own, and
    that of the other half of a Local channel ends in ";2".
    """
    return _PLACED_CHANNEL.fullmatch(channel_id) is not None
