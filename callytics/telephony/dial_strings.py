"""Dial strings: the addresses that Asterisk's Dial understands, such as PJSIP/alice."""

import re

# It goes to Asterisk as it is: a technology, a slash, and no separators of its own.
DIAL_STRING = r"^[A-Za-z][A-Za-z0-9]*/[^\s,&|()\x00-\x1f\x7f]+$"
LONGEST = 200


def is_destination(text: str) -> bool:
    """Return True if `text` can be dialed as it is."""
    return re.fullmatch(DIAL_STRING, text) is not None and len(text) <= LONGEST
