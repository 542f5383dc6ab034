"""Native threads for the work that would block gevent's hub: the disk and the database."""

from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar, cast

import gevent
from gevent.event import AsyncResult
from gevent.queue import Queue
from gevent.threadpool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

_Outcome = tuple[object, BaseException | None]


# gevent's class takes no type argument at run time.
class Result(Generic[T_co], AsyncResult):  # type: ignore[type-arg]
    """Value or error of work that was handed over, set once it is done."""

    def get(self, block: bool = True, timeout: float | None = None) -> T_co:
        """Wait for the value. Raises the work's error, or gevent.Timeout after `timeout` s."""
        # The stub says None too, for a result that is set without a value: here none ever is.
        return cast(T_co, super().get(block, timeout))


class NativeThreads:
    """A few native threads and an unbounded queue of work, served in order.

    gevent's own pool blocks the greenlet that submits work while all threads are busy: with a disk
    that hangs, that would be every call. It also prints errors that the caller expects.
    """

    def __init__(self, count: int) -> None:
        self._pool = ThreadPool(count)
        self._work: Queue[tuple[Callable[[], object], Result[object]]] = Queue()
        for _ in range(count):
            gevent.spawn(self._serve)

    def spawn(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Result[T]:
        """Queue `function(...)` without waiting; the result is set when it has run."""
        result: Result[T] = Result()
        self._work.put((lambda: function(*args, **kwargs), result))
        return result

    def call(
        self, seconds: float, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return `function(...)`. Raises gevent.Timeout after `seconds`, or what it raises."""
        result = self.spawn(function, *args, **kwargs)
        try:
            return result.get(timeout=seconds)
        except gevent.Timeout as error:
            # Work that has not begun is dropped: else a database that hung would first be asked,
            # on its return, for all the answers that are not waited for any more.
            if not result.ready():
                result.set_exception(error)
            raise

    def _serve(self) -> None:
        while True:
            work, result = self._work.get()
            if result.ready():
                continue
            value, error = cast(_Outcome, self._pool.spawn(_outcome, work).get())
            if error is not None:
                result.set_exception(error)
            else:
                result.set(value)


def _outcome(work: Callable[[], object]) -> _Outcome:
    try:
        return work(), None
    except Exception as error:
        return None, error
