"""Pauses of a recording: spans in which Asterisk wrote no audio because somebody asked for it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Self

from callytics.json_values import Json, JsonObject
from callytics.plain_text import one_line

# Limits of what is read back: other programs can write to the recordings folder too.
_LONGEST_MS = (1 << 31) - 1
_LONGEST_NAME = 200
# Pauses of one recording that a page shows.
MOST_PAUSES = 100


@dataclass(frozen=True)
class PausedSpan:
    """One pause. Its words are not in the file, so in the audio it is a point without length."""

    began_at: datetime
    by: str
    # Position in the audio in ms; None until Asterisk has confirmed the pause.
    at_ms: int | None = None
    # None while the recording is paused.
    ended_at: datetime | None = None
    # Empty where the recording ended while paused, or resumed by itself.
    resumed_by: str = ""
    # True if it ended because the longest permitted pause was over.
    by_itself: bool = False

    @property
    def is_on(self) -> bool:
        """True if Asterisk has confirmed it, and nobody has resumed the recording since."""
        return self.at_ms is not None and self.ended_at is None

    @property
    def duration_ms(self) -> int | None:
        """Length in ms; None while it lasts."""
        return None if self.ended_at is None else (self.ended_at - self.began_at) // _MS

    def ended(self, at: datetime, by: str = "", by_itself: bool = False) -> Self:
        """Return the same pause, ended; never before it began, even if the clock was set back."""
        return replace(self, ended_at=max(at, self.began_at), resumed_by=by, by_itself=by_itself)

    def to_values(self) -> JsonObject:
        """Return the values to store as JSON."""
        ended_at = self.ended_at and self.ended_at.isoformat()
        return {**asdict(self), "began_at": self.began_at.isoformat(), "ended_at": ended_at}

    @classmethod
    def from_values(cls, values: Json) -> Self:
        """Parse stored values. Raises ValueError, LookupError, TypeError if they are unusable."""
        at_ms, ended_at, flag = values["at_ms"], values["ended_at"], values.get("by_itself", False)
        span = cls(
            began_at=_time(values["began_at"]),
            by=clean_name(values["by"]),
            at_ms=at_ms,
            ended_at=None if ended_at is None else _time(ended_at),
            resumed_by=clean_name(values.get("resumed_by", "")),
            by_itself=flag,
        )
        if at_ms is not None and (type(at_ms) is not int or not 0 <= at_ms <= _LONGEST_MS):
            raise ValueError("pauses: at_ms is not usable")
        if type(flag) is not bool or (span.ended_at and span.ended_at < span.began_at):
            raise ValueError("pauses: one ends before it begins")
        return span


Spans = tuple[PausedSpan, ...]
_MS = timedelta(milliseconds=1)


def spans_from_json(values: Json) -> Spans:
    """Parse a list of stored values, or None for no pauses.

    Raises ValueError, LookupError, TypeError if they are unusable.
    """
    if not isinstance(values, list | tuple | None):
        raise ValueError("pauses is not usable")
    return tuple(map(PausedSpan.from_values, values or ()))


def clean_name(text: Json) -> str:
    """Return a person's name without unprintable characters, at most 200 long.

    Every client of Asterisk can send one. Raises TypeError if it is no text.
    """
    if not isinstance(text, str):
        raise TypeError("a name is no text")
    return one_line(text)[:_LONGEST_NAME]


def is_paused(spans: Sequence[PausedSpan]) -> bool:
    """Return True if a recording with these pauses is paused now."""
    return bool(spans) and spans[-1].is_on


def confirmed(spans: Iterable[PausedSpan]) -> list[PausedSpan]:
    """Return the pauses that Asterisk confirmed."""
    return [span for span in spans if span.at_ms is not None]


def completeness(spans: Sequence[PausedSpan]) -> tuple[int, ...]:
    """Return a sort key: of two versions of the same pauses, the later one has the greater key."""
    ended = sum(span.ended_at is not None for span in spans)
    return (len(confirmed(spans)), ended, len(spans))


def more_complete(one: Spans, other: Spans) -> Spans:
    """Return the later of two versions of the same pauses."""
    return max(one, other, key=completeness)


def closed(spans: Iterable[PausedSpan], ended_at: datetime, duration_ms: int | None) -> Spans:
    """Return the pauses of a recording that has ended: the last one ended, none after its end.

    Pauses that Asterisk never confirmed are left out.
    """
    end = _LONGEST_MS if duration_ms is None else duration_ms
    return tuple(
        replace(span if span.ended_at else span.ended(ended_at), at_ms=min(span.at_ms, end))
        for span in spans
        if span.at_ms is not None
    )


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("pauses: a time without a zone")
    return at.astimezone(UTC)
