"""Dial strings: addresses for Asterisk's Dial, such as PJSIP/alice."""

import re

# Technology, slash, resource. Passed to Asterisk unchanged, so without Dial's separators.
DIAL_STRING = r"^[A-Za-z][A-Za-z0-9]*/[^\s,&|()\x00-\x1f\x7f]+$"
LONGEST = 200


def is_destination(text: str) -> bool:
    """Return True if `text` can be dialed as it is."""
    return re.fullmatch(DIAL_STRING, text) is not None and len(text) <= LONGEST
