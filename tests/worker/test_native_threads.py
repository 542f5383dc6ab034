"""Native threads of the worker: work that hangs in them does not block who hands it over."""

import threading
from collections.abc import Iterator

import gevent
import pytest

from worker.support.native_threads import NativeThreads


@pytest.fixture
def hung() -> Iterator[threading.Event]:
    """Event for work that hangs; the end of the test sets it and frees the threads."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture(autouse=True)
def no_test_hangs() -> Iterator[None]:
    """End a test that would wait forever."""
    with gevent.Timeout(60, AssertionError("it waits for work that hangs")):
        yield


def test_handing_over_work_does_not_wait_for_threads_that_hang(hung: threading.Event) -> None:
    threads = NativeThreads(2)
    results = [threads.spawn(hung.wait) for _ in range(5)]
    with pytest.raises(gevent.Timeout):
        threads.call(0.1, int)
    hung.set()
    assert [result.get() for result in results] == [True] * 5


def test_work_that_nobody_waits_for_any_more_is_not_begun(hung: threading.Event) -> None:
    threads, begun = NativeThreads(1), []
    threads.spawn(hung.wait)
    with pytest.raises(gevent.Timeout):
        threads.call(0.1, begun.append, "too late")
    hung.set()
    threads.spawn(begun.append, "in time").get()
    assert begun == ["in time"]


def test_one_thread_keeps_the_order() -> None:
    threads, done = NativeThreads(1), []
    results = [threads.spawn(done.append, number) for number in range(100)]
    gevent.wait(results)
    assert done == list(range(100))


def test_an_error_comes_to_who_asked_and_to_nobody_else(capfd: pytest.CaptureFixture[str]) -> None:
    threads = NativeThreads(1)
    with pytest.raises(ZeroDivisionError):
        threads.call(60, lambda: 1 / 0)
    assert threads.spawn(lambda: "goes on").get() == "goes on"
    assert capfd.readouterr().err == ""
