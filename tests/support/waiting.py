"""Waiting for a thing itself instead of for a time, and saying what was waited for in vain."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")

# Logs of the processes that run now; whoever starts one adds its log here.
LOGS: list[Path] = []


def wait_until(predicate: Callable[[], Found], what: str, seconds: float = 60) -> Found:
    """Return the first true value of `predicate`.

    Fails with `what`, the last value and the ends of all logs after `seconds`, which is meant for a
    busy machine: a test that passes waits no longer than it must.
    """
    deadline = time.monotonic() + seconds
    while not (found := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s (last: {found!r}){log_ends()}")
        time.sleep(0.02)
    return found


def log_ends(lines: int = 30) -> str:
    """The last lines of each log, for a message."""
    parts = []
    for path in LOGS:
        if path.exists():
            end = "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
            parts.append(f"\n--- {path}\n{end}")
    return "".join(parts)
