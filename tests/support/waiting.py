"""Waiting for a condition, with the logs of all processes if it times out."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Found = TypeVar("Found")

# Logs of the running processes; the code that starts one adds its log here.
LOGS: list[Path] = []


def wait_until(predicate: Callable[[], Found], what: str, seconds: float = 60) -> Found:
    """Return the first true value of `predicate`.

    Fails after `seconds` with `what`, the last value and the last lines of all logs. The timeout is
    for a busy machine; a test that passes waits no longer than needed.
    """
    deadline = time.monotonic() + seconds
    while not (found := predicate()):
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {seconds} s (last: {found!r}){log_ends()}")
        time.sleep(0.02)
    return found


def log_ends(lines: int = 30) -> str:
    """Return the last lines of each log."""
    parts = []
    for path in LOGS:
        if path.exists():
            end = "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
            parts.append(f"\n--- {path}\n{end}")
    return "".join(parts)
