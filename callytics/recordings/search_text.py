"""Text normalization for searches, the same on every database.

The search text of a recording contains each of its names and numbers behind two marks. With them
the first letter or two of a name are long enough for a trigram index.
"""

import unicodedata
from collections.abc import Iterable, Mapping

from callytics.telephony.numbers import phone

# Folded text never contains it.
MARK = "\n"
# Of notes and tags: a book that somebody pastes into a note must not fill the index.
LONGEST_WORDS = 20_000


def folded(text: str) -> str:
    """Return `text` without case, accents and repeated spaces: "unal" for "  ÜNAL\\t"."""
    if text.isascii() and text.isprintable():
        return " ".join(text.lower().split())
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = (c if c.isprintable() else " " for c in plain if not unicodedata.combining(c))
    return " ".join("".join(kept).split())


def searchable(row: Mapping[str, object]) -> str:
    """Return the search text of a row: caller, dialed number and callee, as people know them."""
    callee = phone(str(row.get("callee", "")))
    names = ("caller_number", "caller_name", "dialed_number")
    values = [folded(str(value)) for value in (*(row.get(name, "") for name in names), callee)]
    return "".join(f"{MARK}{MARK}{value}" for value in dict.fromkeys(values) if value)


def searchable_words(texts: Iterable[str]) -> str:
    """Return the part of the search text that holds notes and tags, at most LONGEST_WORDS."""
    return "".join(f"{MARK}{MARK}{folded(text)}" for text in texts)[:LONGEST_WORDS]
