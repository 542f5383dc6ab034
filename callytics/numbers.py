"""Numbers that people dial, checked so that none of them can change a dial string."""

import re

_NUMBER = re.compile(r"[0-9+*#]{1,32}")


class NumberError(ValueError):
    """A number that cannot be dialled; the message says why."""


def check_number(number: str) -> str:
    """The number itself. Raises NumberError for anything but digits, `+`, `*` and `#`."""
    if not _NUMBER.fullmatch(number):
        raise NumberError("a number must be 1 to 32 digits, +, * or #")
    return number
