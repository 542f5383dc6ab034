"""Native threads for what blocks: the disk and the database."""

from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import AsyncResult
from gevent.queue import Queue
from gevent.threadpool import ThreadPool

_Outcome = tuple[Any, BaseException | None]


class Threads:
    """A few threads and the work that waits for them, in order.

    gevent's pool alone would let the giver wait while all of its threads are busy; with a disk
    that hangs, that would be every call. It also prints each error that its taker expects.
    """

    def __init__(self, count: int) -> None:
        self._pool = ThreadPool(count)
        self._work: Queue = Queue()
        for _ in range(count):
            gevent.spawn(self._serve)

    def spawn(self, function: Callable[..., Any], *args: Any) -> AsyncResult:
        """Hand over `function(*args)`, at once; its value or error, when it is done."""
        result = AsyncResult()
        self._work.put((function, args, result))
        return result

    def ask(self, function: Callable[..., Any], *args: Any, seconds: float) -> Any:
        """The value of `function(*args)`. Raises gevent.Timeout after `seconds`, or its error."""
        result = self.spawn(function, *args)
        try:
            return result.get(timeout=seconds)
        except gevent.Timeout as error:
            # What nobody waits for any more is not begun, or a hung database would be asked in
            # vain for long after its return.
            if not result.ready():
                result.set_exception(error)
            raise

    def _serve(self) -> None:
        while True:
            function, args, result = self._work.get()
            if result.ready():
                continue
            value, error = self._pool.spawn(_outcome, function, args).get()
            if error is not None:
                result.set_exception(error)
            else:
                result.set(value)


def _outcome(function: Callable[..., Any], args: tuple[Any, ...]) -> _Outcome:
    try:
        return function(*args), None
    except Exception as error:
        return None, error
