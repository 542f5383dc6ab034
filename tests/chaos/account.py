"""Account of a run: each talk that should have been recorded, and its recording."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.plan import UNRECORDED, Call
from tests.chaos.witness import Talk
from tests.support.tones import seconds_heard

Row = Mapping[str, Any]

# A shorter talk may be over before the recording of it has begun.
SHORTEST_SECONDS = 2.0
# What a killed Asterisk had not yet written: 32 KiB, and a little for the writing.
UNWRITTEN_SECONDS = {"wav": 2.5, "ulaw": 4.5}
# A busy machine swallows frames, and a recording begins a moment after the first word.
SWALLOWED_SECONDS, SWALLOWED_SHARE = 1.0, 0.2
# A tone is looked for in tenths of a second; those at either edge are full of it only by chance.
EDGES_SECONDS = 0.2
# What is missing at the end of a talk that was over an instant before Asterisk was killed.
INSTANT_SECONDS = 0.5
OUTCOMES = ("whole", "cut short with reason", "failed with reason", "lost")


@dataclass(frozen=True)
class Outcome:
    """Result for one talk that should have been recorded."""

    what: str
    talk: Talk
    call: Call
    heard_seconds: float
    rows: list[Row] = field(default_factory=list)
    why: str = ""

    def __str__(self) -> str:
        talk, call = self.talk, self.call
        said = ", ".join(
            f"{row['uid']} {row['state']} {row['state_reason']!r}" for row in self.rows
        )
        return (
            f"{self.what}: {call.caller_number} ({call.hertz} Hz) on {call.number} with "
            f"{talk.hertz} Hz, {talk.began:.2f} to {talk.ended:.2f} ({talk.seconds:.1f} s, "
            f"{'ended by a kill' if talk.killed else 'ended by itself'}"
            f"{', fallback ' + talk.fallback_path if talk.fallback_path else ''}); heard "
            f"{self.heard_seconds:.1f} s; {self.why}; rows: {said or 'none'}"
        )


class Books:
    """Rows and files of a run, compared with what the witness says."""

    def __init__(self, rows: Sequence[Row], folder: Path, calls: Iterable[Call]) -> None:
        self._folder = folder
        self._calls = {call.channel_id: call for call in calls}
        self._of_number: dict[str, list[Row]] = defaultdict(list)
        self._by_path = {row["path"]: row for row in rows}
        for row in rows:
            self._of_number[row["caller_number"]].append(row)

    def outcomes(self, talks: Sequence[Talk]) -> list[Outcome]:
        """Return the result for each talk that should have been recorded."""
        wanted = [talk for talk in talks if self._is_wanted(talk)]
        return [self._outcome(talk, talks) for talk in wanted]

    def wrong(self, talks: Sequence[Talk]) -> list[str]:
        """Return what must not be there: recordings nobody asked for, and open rows."""
        said = []
        for row in self._by_path.values():
            if row["state"] in ("requested", "recording", "missing"):
                said.append(f"{row['path']} is still {row['state']}: {row['state_reason']}")
            if row["dialed_number"] in UNRECORDED:
                said.append(f"{row['path']} is of a call that was not to be recorded")
        paths = Counter(talk.fallback_path for talk in talks if talk.fallback_path)
        known = {row["path"] for row in self._by_path.values() if row["caller_number"]}
        strangers = self._by_path.keys() - known - paths.keys()
        return said + [f"{path} belongs to no call" for path in sorted(strangers)]

    def _is_wanted(self, talk: Talk) -> bool:
        call = self._calls[talk.channel_id]
        recorded = bool(talk.fallback_path) or call.number not in UNRECORDED
        return recorded and talk.seconds > SHORTEST_SECONDS

    def _outcome(self, talk: Talk, talks: Sequence[Talk]) -> Outcome:
        call, rows = self._calls[talk.channel_id], self._rows_of(talk)
        heard = sum(self._heard(row, call, talk) for row in rows)
        reasons = [row["state_reason"] for row in rows if row["state_reason"]]
        # Who leaves a message is on the line longer than they speak.
        seconds = talk.seconds if talk.hertz else min(talk.seconds, call.seconds)
        what, why = _judge(talk, seconds, heard, rows, reasons)
        return Outcome(what, talk, call, heard, rows, why)

    def _rows_of(self, talk: Talk) -> list[Row]:
        if talk.fallback_path:
            return [row for path, row in self._by_path.items() if path == talk.fallback_path]
        of_number = self._of_number[self._calls[talk.channel_id].caller_number]
        return [row for row in of_number if (row["kind"] == "voicemail") == (talk.hertz == 0)]

    def _heard(self, row: Row, call: Call, talk: Talk) -> float:
        """For how long all who talked are heard in an available recording."""
        audio = self._folder / row["path"]
        if row["state"] != "available" or not audio.exists():
            return 0.0
        spoken = [call.hertz, talk.hertz] if talk.hertz else [call.hertz]
        return min(seconds_heard(audio, hertz) for hertz in spoken)


def _judge(
    talk: Talk, seconds: float, heard: float, rows: Sequence[Row], reasons: Sequence[str]
) -> tuple[str, str]:
    unwritten = UNWRITTEN_SECONDS["wav" if talk.hertz else "ulaw"] if talk.killed else 0.0
    swallowed = max(SWALLOWED_SECONDS, SWALLOWED_SHARE * seconds)
    due = seconds - EDGES_SECONDS - swallowed
    # What was not written yet has neither sound nor, in the fallback, anybody who would know.
    nothing_due = seconds - unwritten < SHORTEST_SECONDS
    # A kill always costs something, and a row that says nothing of it is not to be believed.
    if heard >= (seconds - INSTANT_SECONDS if talk.killed else due):
        return "whole", "all is heard"
    if heard >= due - unwritten and heard > 0 and reasons:
        return "cut short with reason", "; ".join(reasons)
    if heard > 0 and reasons and not talk.killed:
        return "cut short with reason", "; ".join(reasons)
    failed = [row for row in rows if row["state"] == "failed"]
    if heard == 0 and failed and reasons:
        return "failed with reason", "; ".join(reasons)
    if heard == 0 and nothing_due and talk.fallback_path:
        return "failed with reason", "killed before Asterisk had written anything of the fallback"
    return "lost", "no row" if not rows else f"{heard:.1f} of {due:.1f} s are there, without a word"
