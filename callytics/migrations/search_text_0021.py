"""Search text of a recording as migration 0021 fills it, frozen.

A later change of the live normalization needs a migration of its own that fills the column anew.
"""

import unicodedata
from collections.abc import Mapping

MARK = "\n"


def folded(text: str) -> str:
    """Return `text` without case, accents and repeated spaces."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = (c if c.isprintable() else " " for c in plain if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


def searchable(row: Mapping[str, str]) -> str:
    """Return each different name and number of a recording behind two marks."""
    names = ("caller_number", "caller_name", "dialed_number")
    values = [folded(value) for value in (*(row[name] for name in names), _phone(row["callee"]))]
    return "".join(f"{MARK}{MARK}{value}" for value in dict.fromkeys(values) if value)


def _phone(dial_string: str) -> str:
    _technology, _, rest = dial_string.partition("/")
    return rest.partition("@")[0] or dial_string
