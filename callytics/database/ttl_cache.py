"""TTL cache (10 s) for values that change slowly."""

from collections.abc import Hashable
from time import monotonic
from typing import Generic, TypeVar

SECONDS = 10

Value = TypeVar("Value")


class TtlCache(Generic[Value]):
    """Values by key, each for SECONDS."""

    def __init__(self) -> None:
        self._known: dict[Hashable, tuple[float, Value]] = {}

    def keep(self, key: Hashable, value: Value) -> Value:
        """Keep a value, drop those that have expired, and return it."""
        now = monotonic()
        for old in [old for old, (until, _) in list(self._known.items()) if until <= now]:
            self._known.pop(old, None)
        self._known[key] = now + SECONDS, value
        return value

    def get(self, key: Hashable) -> Value | None:
        """Return the value of `key`, or None if there is none or it has expired."""
        until, value = self._known.get(key, (0, None))
        return value if monotonic() < until else None

    def clear(self) -> None:
        """Drop all values."""
        self._known.clear()
