"""Timeline of a call: its nodes with their times and recordings."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from callytics.calls.library import CallRow
from callytics.json_values import JsonObject
from callytics.recordings.library import RecordingRow
from callytics.recordings.pauses import MOST_PAUSES, confirmed

# Width of the whole call, and of the narrowest bar, which must stay visible.
WHOLE, NARROWEST = 1000, 6


@dataclass(frozen=True)
class Bar:
    """Span of the call, in thousandths of its length."""

    x: int
    width: int


@dataclass(frozen=True)
class Recorded:
    """Recording of a step; its bar is None if nothing was recorded."""

    row: RecordingRow
    bar: Bar | None
    # The first MOST_PAUSES pauses.
    gaps: Sequence[Bar] = ()


@dataclass
class Step:
    """Visit of a node; a time is None if the call's row does not have it."""

    node: str
    type: str
    result: str | None
    started_at: datetime | None
    ended_at: datetime | None
    bar: Bar | None = None
    # Part of the visit with a conversation.
    talk: Bar | None = None
    recordings: list[Recorded] = field(default_factory=list)

    @property
    def duration_ms(self) -> int | None:
        """Duration of the visit in ms, or None while it lasts."""
        if self.started_at is None or self.ended_at is None:
            return None
        return max(0, (self.ended_at - self.started_at) // timedelta(milliseconds=1))


def timeline(
    call: CallRow, recordings: Iterable[RecordingRow], now: datetime
) -> tuple[list[Step], list[RecordingRow]]:
    """Return the steps of a call's path, and the recordings that belong to none of them."""
    end = call.ended_at or now
    steps = [_step(values) for values in call.path]
    for step in steps:
        if step.started_at is not None:
            step.bar = _bar(call, end, step.started_at, step.ended_at or end)
            step.talk = _talk(call, end, step)
    elsewhere = []
    for row in recordings:
        place = _place(steps, row)
        if place is None:
            elsewhere.append(row)
        else:
            kept = row.state in ("recording", "available")
            bar = _bar(call, end, row.started_at, row.ended_at or end) if kept else None
            spans = confirmed(row.pauses) if kept else []
            gaps = [_bar(call, end, s.began_at, s.ended_at or end) for s in spans[:MOST_PAUSES]]
            place.recordings.append(Recorded(row, bar, gaps))
    return steps, elsewhere


def _step(values: JsonObject) -> Step:
    return Step(
        node=values.get("node", ""),
        type=values.get("type", ""),
        result=values.get("result"),
        started_at=_time(values.get("started_at")),
        ended_at=_time(values.get("ended_at")),
    )


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def _place(steps: Sequence[Step], row: RecordingRow) -> Step | None:
    """Return the last begun visit of the recording's node: a flow may pass a node twice."""
    visits = [step for step in steps if step.node == row.node]
    begun = [s for s in visits if s.started_at is not None and s.started_at <= row.started_at]
    return next(iter((begun or visits)[-1:]), None)


def _talk(call: CallRow, end: datetime, step: Step) -> Bar | None:
    # The call was answered in the last node of the path: a conversation ends the flow.
    answered_at, until = call.answered_at, step.ended_at or end
    if answered_at is None or step.started_at is None:
        return None
    if not step.started_at <= answered_at <= until:
        return None
    return _bar(call, end, answered_at, until)


def _bar(call: CallRow, end: datetime, began: datetime, ended: datetime) -> Bar:
    began_at: datetime = call.started_at
    length = max((end - began_at).total_seconds(), 0.001)

    def at(moment: datetime) -> int:
        share = (moment - began_at).total_seconds() / length
        return round(WHOLE * min(max(share, 0.0), 1.0))

    x = min(at(began), WHOLE - NARROWEST)
    return Bar(x, max(at(ended) - x, NARROWEST))
