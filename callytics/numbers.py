"""Numbers that people dial, checked so that none can change a dial string, and read from one."""

import re

_NUMBER = re.compile(r"[0-9+*#]{1,32}")


class NumberError(ValueError):
    """A number that cannot be dialled; the message says why."""


def check_number(number: str) -> str:
    """The number itself. Raises NumberError for anything but digits, `+`, `*` and `#`."""
    if not _NUMBER.fullmatch(number):
        raise NumberError("a number must be 1 to 32 digits, +, * or #")
    return number


def phone(dial_string: str) -> str:
    """What people call an endpoint: of PJSIP/alice and Local/100@office, alice and 100."""
    _technology, _, rest = dial_string.partition("/")
    return rest.partition("@")[0] or dial_string
