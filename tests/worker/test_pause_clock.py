"""Pause clock: positions in the audio, and the pauses after a worker was gone."""

from datetime import timedelta

import pytest

from callytics.recordings.pauses import PausedSpan
from tests.support.shelf import STARTED_AT
from worker.recording.pause_clock import PauseClock, confirmed, recorded_seconds

NOW = STARTED_AT + timedelta(seconds=60)
ENDED = PausedSpan(STARTED_AT, "ada", 1000, STARTED_AT + timedelta(seconds=5), "ada")
ON = PausedSpan(STARTED_AT + timedelta(seconds=20), "rita", 15_000)
INTENDED = PausedSpan(STARTED_AT + timedelta(seconds=20), "rita")


def test_paused_time_is_no_place_in_the_audio():
    clock = PauseClock()
    clock.start(100.0)
    assert clock.recorded_ms(103.0) == 3000
    clock.pause(103.0)
    assert clock.recorded_ms(110.0) == 3000
    clock.resume(110.0)
    assert clock.recorded_ms(112.0) == 5000
    assert clock.paused_seconds(112.0) == 7.0


def test_a_clock_that_goes_on_with_a_recording_knows_what_it_holds():
    clock = PauseClock()
    clock.start(100.0, recorded_seconds=40.0)
    assert clock.recorded_ms(101.0) == 41_000
    assert clock.recorded_ms(0.0) == 0


def test_the_audio_is_shorter_by_its_pauses():
    assert recorded_seconds(STARTED_AT, (), NOW) == 60
    assert recorded_seconds(STARTED_AT, (ENDED,), NOW) == 55
    assert recorded_seconds(STARTED_AT, (ENDED, ON), NOW) == 15


@pytest.mark.parametrize(
    ("pauses", "paused_now", "found"),
    [
        ((), False, ()),
        ((ENDED,), False, (ENDED,)),
        ((ENDED, ON), True, (ENDED, ON)),
        # Asterisk has resumed it meanwhile.
        ((ENDED, ON), False, (ENDED, ON.ended(NOW))),
        # The pause was intended when the worker died: Asterisk says if it came.
        ((ENDED, INTENDED), False, (ENDED,)),
        ((ENDED, INTENDED), True, (ENDED, PausedSpan(INTENDED.began_at, "rita", 777))),
        # Somebody else has paused it.
        ((ENDED,), True, (ENDED, PausedSpan(NOW, "", 777))),
    ],
)
def test_what_asterisk_does_now_corrects_the_pauses(pauses, paused_now, found):
    assert confirmed(pauses, paused_now, NOW, 777) == found
