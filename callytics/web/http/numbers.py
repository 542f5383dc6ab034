"""Whole numbers in addresses and forms, no larger than a column of either database can hold."""

import re
from collections.abc import Mapping

from flask import abort
from werkzeug.routing import IntegerConverter

_WHOLE = re.compile(r"[0-9]{1,18}")
_LARGEST_ID = 2**31 - 1


class BoundedInteger(IntegerConverter):
    """Number in a path: ASCII digits, at most as many as fit into 64 bits; else a 404.

    One that no id can have, since it fits into no column of 32 bits, becomes the largest.
    """

    regex = _WHOLE.pattern

    def to_python(self, value: str) -> int:
        """Return the number, at most the largest id."""
        return min(int(value), _LARGEST_ID)


def whole_number(values: Mapping[str, str], name: str) -> int:
    """Return the number of a field, 0 if the field is absent; abort with 400 for any other text."""
    text = values.get(name, "0")
    if not _WHOLE.fullmatch(text):
        abort(400, "The form was not complete. Go back and try again.")
    return int(text)
