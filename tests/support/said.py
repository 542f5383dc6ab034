"""Log of a process, line by line."""

from datetime import datetime
from pathlib import Path

from tests.support.waiting import wait_until


def lines_with(log: Path, words: str) -> list[str]:
    """Return the lines that contain `words`."""
    return [line for line in log.read_text().splitlines() if words in line]


def wait_for_line(log: Path, words: str) -> str:
    """Wait for a line that contains `words`; return the first."""
    return wait_until(lambda: lines_with(log, words), f"the log says {words!r}")[0]


def time_of(line: str) -> float:
    """Return the time of a log line, in seconds since 1970."""
    return datetime.strptime(line[:23], "%Y-%m-%d %H:%M:%S,%f").timestamp()
