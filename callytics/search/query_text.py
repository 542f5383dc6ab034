"""Query text: the search words as a substring of `search_text`, and the trigrams of it.

`recordings.search_text` says how the text of a recording is written. Query and text are folded in
the same way, so that both databases compare them byte by byte.
"""

from callytics.recordings.search_text import MARK, folded

# Length of the parts that both full-text indexes store.
TRIGRAM = 3
# A shorter part occurs in nearly every recording, so only the beginning of a name matches.
SHORTEST_PART = 3
# No name or number is longer. Of a pasted page, the beginning is searched for.
LONGEST_SEARCH = 64


def needle(search: str) -> str:
    """Return the substring that `search_text` must contain; "" matches every recording.

    One or two letters are preceded by the two marks that begin a name, so the result is empty or
    has at least three characters.
    """
    part = folded(search)[:LONGEST_SEARCH]
    return f"{MARK}{MARK}{part}" if 0 < len(part) < SHORTEST_PART else part


def trigrams(part: str) -> list[str]:
    """Return each run of three characters in a needle once, in order."""
    return list(dict.fromkeys(part[i : i + TRIGRAM] for i in range(len(part) - TRIGRAM + 1)))
