"""Pause clock: recorded and paused time of one recording, and the pauses that Asterisk confirms.

It counts monotonic seconds of this process, because the wall clock may be set back.
"""

from dataclasses import replace
from datetime import datetime

from callytics.recordings.pauses import PausedSpan, Spans, is_paused


class PauseClock:
    """Position in the audio of a recording that is paused and resumed."""

    def __init__(self) -> None:
        # When the first sound would have been recorded, had the recording never been paused.
        self._zero = 0.0
        self._paused_at: float | None = None
        self._paused_seconds = 0.0

    def start(self, at: float, recorded_seconds: float = 0.0) -> None:
        """Start at `at`, when `recorded_seconds` were recorded already."""
        self._zero = at - recorded_seconds

    def pause(self, at: float) -> None:
        """Stop counting recorded time."""
        self._paused_at = at

    def resume(self, at: float) -> None:
        """Count recorded time again."""
        self._paused_seconds, self._paused_at = self.paused_seconds(at), None

    def paused_seconds(self, until: float) -> float:
        """Return the seconds of all pauses until then, as far as this process knows them."""
        current = 0.0 if self._paused_at is None else max(0.0, until - self._paused_at)
        return self._paused_seconds + current

    def recorded_ms(self, at: float) -> int:
        """Return the position in the audio, in milliseconds."""
        return max(0, int((at - self._zero - self.paused_seconds(at)) * 1000))


def recorded_seconds(started_at: datetime, pauses: Spans, now: datetime) -> float:
    """Return the seconds of audio since the intent to record, less the pauses."""
    paused = sum(((span.ended_at or now) - span.began_at).total_seconds() for span in pauses)
    return (now - started_at).total_seconds() - paused


def confirmed(pauses: Spans, paused_now: bool, now: datetime, at_ms: int) -> Spans:
    """Return the pauses of a recording, corrected by what Asterisk does now.

    The last one may be intended but not confirmed, or not ended, because a worker died in between.
    """
    intended = pauses[-1] if pauses and pauses[-1].at_ms is None else None
    known = pauses if intended is None else pauses[:-1]
    if paused_now and not is_paused(known):
        return (*known, replace(intended or PausedSpan(now, ""), at_ms=at_ms))
    if not paused_now and is_paused(known):
        return (*known[:-1], known[-1].ended(now))
    return known
