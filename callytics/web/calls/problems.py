"""What should have been recorded of a call and was not, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

_TITLES = {"failed": "Not recorded", "missing": "Recording missing"}


@dataclass(frozen=True)
class Problem:
    """A mark of two words, and what is known about it."""

    title: str
    reason: str


def problems_of(call: Any, recordings: Iterable[Any]) -> list[Problem]:
    """All that is wrong with a call: what it says itself, and what its recordings say."""
    lost = [row for row in recordings if row.state in _TITLES]
    found = [Problem(_TITLES[row.state], row.state_reason) for row in lost]
    # The worker writes a recording's reason into the call as well, and once is enough.
    if call.problem and not any(p.reason and p.reason in call.problem for p in found):
        found.append(Problem("Problem", call.problem))
    return found
