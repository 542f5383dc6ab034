"""TTL cache (10 s) for values that change slowly."""

from collections.abc import Hashable
from time import monotonic
from typing import Generic, TypeVar

SECONDS = 10

Value = TypeVar("Value")


class TtlCache(Generic[Value]):
    """Values that are gone after a while, of whatever may come up again till then."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, Value]] = {}

    def keep(self, of: Hashable, value: Value) -> Value:
        """Remember a value, and forget those whose time is over."""
        now = monotonic()
        for old in [old for old, (until, _) in list(self._known.items()) if until <= now]:
            self._known.pop(old, None)
        self._known[of] = now + SECONDS, value
        return value

    def get(self, of: Hashable) -> Value | None:
        """The value of this; None where there is none, or its time is over."""
        until, value = self._known.get(of, (0, None))
        return value if monotonic() < until else None

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()
