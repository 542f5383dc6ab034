"""What a search compares: text without case, accents and odd spaces, the same on every database.

The text of a recording holds each of its names and numbers after two marks. So the beginning of
one is itself a part of the text, long enough for an index of three characters: two letters or
even one are looked for like any other part.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from callytics.telephony.numbers import phone

# Nothing that is folded holds it.
MARK = "\n"
# Of notes and tags; a book that somebody pastes into notes must not fill the index.
LONGEST_WORDS = 20_000


def folded(text: str) -> str:
    """`text` as it is compared: "  Ünal\\tSTRASSE" is "unal strasse"."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = (c if c.isprintable() else " " for c in plain if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


def searchable(row: Mapping[str, Any]) -> str:
    """What a recording is found by: caller, callee as people know them, and the number dialed."""
    callee = phone(row.get("callee", ""))
    names = ("caller_number", "caller_name", "dialed_number")
    values = [folded(value) for value in (*(row.get(name, "") for name in names), callee)]
    return "".join(f"{MARK}{MARK}{value}" for value in dict.fromkeys(values) if value)


def searchable_words(texts: Iterable[str]) -> str:
    """What people wrote on a recording, to stand behind its facts; only the beginning of much."""
    return "".join(f"{MARK}{MARK}{folded(text)}" for text in texts)[:LONGEST_WORDS]
