"""Problems of a call: failed and missing recordings, and errors of the worker."""

from collections.abc import Iterable
from dataclasses import dataclass

from callytics.calls.library import CallRow
from callytics.recordings.library import RecordingRow

_TITLES = {"failed": "Not recorded", "missing": "Recording missing"}


@dataclass(frozen=True)
class Problem:
    """Problem of a call: the text of its badge, and a sentence."""

    title: str
    reason: str


def problems_of(call: CallRow, recordings: Iterable[RecordingRow]) -> list[Problem]:
    """Return all problems of a call: its own, and those of its recordings."""
    lost = [row for row in recordings if row.state in _TITLES]
    found = [Problem(_TITLES[row.state], row.state_reason) for row in lost]
    # The worker writes the reason of a recording into the call too: show it once.
    if call.problem and not any(p.reason and p.reason in call.problem for p in found):
        found.append(Problem("Problem", call.problem))
    return found
