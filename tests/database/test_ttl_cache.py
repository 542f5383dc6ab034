"""TTL cache: a value is there until its time is over, and then leaves the memory."""

import pytest

from callytics.database import ttl_cache
from callytics.database.ttl_cache import SECONDS, TtlCache


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Monotonic clock of the module, set by its only item."""
    now = [1000.0]
    monkeypatch.setattr(ttl_cache, "monotonic", lambda: now[0])
    return now


def test_a_value_is_there_until_its_time_is_over(clock):
    cache: TtlCache[str] = TtlCache()
    assert cache.get("one") is None
    assert cache.keep("one", "first") == "first"
    clock[0] += SECONDS - 0.01
    assert cache.get("one") == "first"
    clock[0] += 0.01
    assert cache.get("one") is None


def test_a_value_that_is_kept_again_lives_anew(clock):
    cache: TtlCache[str] = TtlCache()
    cache.keep("one", "first")
    clock[0] += SECONDS - 1
    cache.keep("one", "second")
    clock[0] += SECONDS - 1
    assert cache.get("one") == "second"


def test_old_values_leave_the_memory_and_clear_drops_all(clock):
    cache: TtlCache[int] = TtlCache()
    for number in range(10):
        cache.keep(number, number)
        clock[0] += 1
    clock[0] += SECONDS - 5
    cache.keep("new", 0)
    assert len(cache._known) == 5
    cache.clear()
    assert cache.get("new") is None
