"""Log throttle: a lasting problem is logged once a minute, another one at once."""

import logging

import pytest

from worker.support import throttled_log
from worker.support.throttled_log import REPEAT_SECONDS, ThrottledLog


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Monotonic clock of the module, set by its only item."""
    now = [1000.0]
    monkeypatch.setattr(throttled_log, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def throttled(caplog: pytest.LogCaptureFixture) -> ThrottledLog:
    caplog.set_level(logging.INFO)
    return ThrottledLog(logging.getLogger("throttled"))


def test_a_problem_is_logged_once_a_minute(throttled, clock, caplog):
    for second in range(int(REPEAT_SECONDS) + 1):
        clock[0] = 1000.0 + second
        throttled.problem("it is away")
    assert [record.message for record in caplog.records] == ["it is away; trying again"] * 2


def test_another_problem_is_logged_at_once(throttled, clock, caplog):
    for sentence in ("it is away", "it is broken", "it is away"):
        throttled.problem(sentence)
    assert len(caplog.records) == 3


def test_its_end_is_logged_once_and_without_a_problem_only_if_asked(throttled, clock, caplog):
    throttled.recovered("it answers")
    throttled.problem("it is away")
    throttled.recovered("it answers")
    throttled.recovered("it answers")
    throttled.recovered("it answers", always=True)
    said = [record.message for record in caplog.records]
    assert said == ["it is away; trying again", "it answers", "it answers"]


def test_a_wait_is_logged_once(throttled, clock, caplog):
    throttled.waiting("it stands by")
    throttled.waiting("it stands by")
    assert [record.levelname for record in caplog.records] == ["INFO"]
