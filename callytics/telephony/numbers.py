"""Phone numbers: validation, parsing of typed numbers, and display names of endpoints."""

import re

_NUMBER = re.compile(r"[0-9+*#]{1,32}")
# Separators that people type or paste: spaces, dots, slashes, all dashes, invisible characters.
_BETWEEN = re.compile(r"[\s./\u00ad\u200b\u202a-\u202e\u2010-\u2015\u2060\u2212-]")
_BRACKETS = re.compile(r"[()]")


class NumberError(ValueError):
    """A number that cannot be dialed; the message says why."""


def check_number(number: str) -> str:
    """Return `number`. Raises NumberError for anything but 1 to 32 digits, `+`, `*` and `#`.

    So a number cannot change the dial string that it becomes a part of.
    """
    if not _NUMBER.fullmatch(number):
        raise NumberError("a number must be 1 to 32 digits, +, * or #")
    return number


def typed_number(text: str) -> str:
    """Return the number in a typed or pasted text such as "+49 (0)30 1234-56" or "(030) 123.4".

    Raises NumberError.
    """
    bare = _BETWEEN.sub("", text.removeprefix("tel:"))
    # After a country code, (0) is the trunk prefix, dialed only inside that country.

    bare = bare.replace("(0)", "", 1) if bare.startswith(("+", "00")) else bare
    return check_number(_BRACKETS.sub("", bare))


def phone(dial_string: str) -> str:
    """Return the display name of an endpoint: alice for PJSIP/alice, 100 for Local/100@office."""
    _technology, _, rest = dial_string.partition("/")
    return rest.partition("@")[0] or dial_string
