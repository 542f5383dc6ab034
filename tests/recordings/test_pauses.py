"""Pauses: of two versions of the same pauses, the later one counts."""

from datetime import timedelta

import pytest

from callytics.recordings.pauses import PausedSpan, closed, more_complete
from tests.support.shelf import STARTED_AT

INTENDED = PausedSpan(STARTED_AT, "ada")
ON = PausedSpan(STARTED_AT, "ada", 1000)
ENDED = ON.ended(STARTED_AT + timedelta(seconds=5), "rita")
SECOND = PausedSpan(STARTED_AT + timedelta(seconds=9), "ada", 5000)
VERSIONS = [(), (INTENDED,), (ON,), (ENDED,), (ENDED, SECOND)]


@pytest.mark.parametrize("at", range(len(VERSIONS) - 1))
def test_the_later_version_counts(at: int) -> None:
    earlier, later = VERSIONS[at], VERSIONS[at + 1]
    assert more_complete(earlier, later) == later
    assert more_complete(later, earlier) == later


def test_a_recording_that_has_ended_has_no_open_pause_and_none_behind_its_end() -> None:
    ended_at = STARTED_AT + timedelta(seconds=20)
    assert closed((ENDED, SECOND, INTENDED), ended_at, 4000) == (
        ENDED,
        PausedSpan(SECOND.began_at, "ada", 4000, ended_at),
    )


def test_a_pause_never_ends_before_it_began() -> None:
    assert ON.ended(STARTED_AT - timedelta(seconds=5)).duration_ms == 0
