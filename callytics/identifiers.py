"""Identifiers of calls and recordings.

Callytics chooses them itself, so a command to Asterisk can be sent again. A uid becomes part of a
file path and of a URL, so its characters are limited to those that need no quoting in either.
"""

import re
import secrets

UID_PATTERN = r"[A-Za-z0-9_-]{1,64}"
_UID = re.compile(UID_PATTERN, re.ASCII)


def new_uid() -> str:
    """Return a random uid of 20 hexadecimal digits."""
    return secrets.token_hex(10)


def is_uid(text: str) -> bool:
    """Return True if `text` can be the uid of a call or a recording."""
    return _UID.fullmatch(text) is not None
