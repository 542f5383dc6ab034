"""Problems of a call: recordings that should exist and do not, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_TITLES = {"failed": "Not recorded", "missing": "Recording missing"}


@dataclass(frozen=True)
class Problem:
    """Problem: a mark of two words, and a sentence."""

    title: str
    reason: str


def problems_of(call: Any, recordings: Iterable[Any]) -> list[Problem]:
    """Return all problems of a call: its own, and those of its recordings."""
    lost = [row for row in recordings if row.state in _TITLES]
    found = [Problem(_TITLES[row.state], row.state_reason) for row in lost]
    # The worker writes a recording's reason into the call as well, and once is enough.
    if call.problem and not any(p.reason and p.reason in call.problem for p in found):
        found.append(Problem("Problem", call.problem))
    return found
