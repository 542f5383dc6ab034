"""Open files and sockets of a process."""

from pathlib import Path

from tests.support.waiting import wait_until

# Connections of a pool that is not full yet: a SQLite database has three descriptors (file, log
# and index of the log), and a new thread has two of its event loop.
SOME_MORE = 8


def descriptors(process: int) -> list[str]:
    """Return the target of each open descriptor of a process, sorted."""
    found = []
    for entry in Path(f"/proc/{process}/fd").iterdir():
        try:
            found.append(str(entry.readlink()))
        except FileNotFoundError:  # closed meanwhile
            continue
    return sorted(found)


def children(process: int) -> list[int]:
    """Return the child processes of a process."""
    return [int(p) for p in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def check_that_none_is_left(
    process: int, before: list[str], what: str, more: int = SOME_MORE
) -> None:
    """Wait until a process has at most `more` descriptors more than `before`."""
    wait_until(
        lambda: len(descriptors(process)) <= len(before) + more,
        f"{what}: {len(before)} descriptors before, now {descriptors(process)}",
        seconds=15,
    )
