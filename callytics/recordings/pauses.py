"""Where a recording was paused: what its facts, its row and the player say of it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self

# Somebody else may have written the file: what a page and a column can hold.
_LONGEST_MS = (1 << 31) - 1
_LONGEST_NAME = 200
# What a page shows of one recording.
MOST_PAUSES = 100


@dataclass(frozen=True)
class PausedSpan:
    """One pause. What was said in it is nowhere, so in the audio it is a place without length."""

    began_at: datetime
    by: str
    # Where in the audio it lies; None until Asterisk has confirmed that it records no more.
    at_ms: int | None = None
    # None while the recording is paused.
    ended_at: datetime | None = None
    # Who let it go on; empty where the recording ended in it, or went on by itself.
    resumed_by: str = ""
    # The longest pause was over, and nobody had let it go on.
    by_itself: bool = False

    @property
    def is_on(self) -> bool:
        """Whether Asterisk confirmed it and nobody has let the recording go on yet."""
        return self.at_ms is not None and self.ended_at is None

    @property
    def duration_ms(self) -> int | None:
        """How long it was; None while it is not over."""
        return None if self.ended_at is None else (self.ended_at - self.began_at) // _MS

    def ended(self, at: datetime, by: str = "", by_itself: bool = False) -> Self:
        """The same pause, over. A clock that was set back does not make it end before it began."""
        return replace(self, ended_at=max(at, self.began_at), resumed_by=by, by_itself=by_itself)

    def to_values(self) -> dict[str, Any]:
        """Its values as JSON has them."""
        ended_at = self.ended_at and self.ended_at.isoformat()
        return {**asdict(self), "began_at": self.began_at.isoformat(), "ended_at": ended_at}

    @classmethod
    def from_values(cls, values: Any) -> Self:
        """Read it back. Raises ValueError, LookupError, TypeError where that is not possible."""
        at_ms, ended_at, flag = values["at_ms"], values["ended_at"], values.get("by_itself", False)
        span = cls(
            began_at=_time(values["began_at"]),
            by=tidy_name(values["by"]),
            at_ms=at_ms,
            ended_at=None if ended_at is None else _time(ended_at),
            resumed_by=tidy_name(values.get("resumed_by", "")),
            by_itself=flag,
        )
        if at_ms is not None and (type(at_ms) is not int or not 0 <= at_ms <= _LONGEST_MS):
            raise ValueError("pauses: at_ms is not usable")
        if type(flag) is not bool or (span.ended_at and span.ended_at < span.began_at):
            raise ValueError("pauses: one ends before it begins")
        return span


Spans = tuple[PausedSpan, ...]
_MS = timedelta(milliseconds=1)


def read(values: Any) -> Spans:
    """Spans of a list of JSON values, none for None. Raises ValueError and the like."""
    if not isinstance(values, list | tuple | None):
        raise ValueError("pauses is not usable")
    return tuple(map(PausedSpan.from_values, values or ()))


def tidy_name(text: Any) -> str:
    """A name as it can be kept; it is that of a person, but whoever may speak to Asterisk gave it.

    Raises TypeError for what is none.
    """
    if not isinstance(text, str):
        raise TypeError("a name is no text")
    return "".join(filter(str.isprintable, text))[:_LONGEST_NAME]


def is_paused(spans: Sequence[PausedSpan]) -> bool:
    """Whether a recording with these pauses is paused now."""
    return bool(spans) and spans[-1].is_on


def placed(spans: Iterable[PausedSpan]) -> list[PausedSpan]:
    """Those that Asterisk confirmed."""
    return [span for span in spans if span.at_ms is not None]


def weight(spans: Sequence[PausedSpan]) -> tuple[int, ...]:
    """How much is said: of two that were written one after the other, the later one weighs more."""
    confirmed, ended = len(placed(spans)), sum(span.ended_at is not None for span in spans)
    return (confirmed, ended, len(spans))


def fuller(one: Spans, other: Spans) -> Spans:
    """The one of two that says more."""
    return max(one, other, key=weight)


def finished(spans: Iterable[PausedSpan], ended_at: datetime, duration_ms: int | None) -> Spans:
    """The pauses of a recording that is over: the last one with it, and none behind its end.

    One that Asterisk never confirmed is none.
    """
    end = _LONGEST_MS if duration_ms is None else duration_ms
    return tuple(
        replace(span if span.ended_at else span.ended(ended_at), at_ms=min(span.at_ms, end))
        for span in placed(spans)
    )


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("pauses: a time without a zone")
    return at.astimezone(UTC)
