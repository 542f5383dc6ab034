"""Open files and sockets of a process, as the kernel counts them."""

from pathlib import Path

from tests.support.waiting import wait_until

# Connections of a pool that is not full yet: a database file has three descriptors (with its
# log and the index of that), and a thread that is new brings two of the event loop.
SOME_MORE = 8


def descriptors(process: int) -> list[str]:
    """Return what each open descriptor of a process is, sorted."""
    found = []
    for entry in Path(f"/proc/{process}/fd").iterdir():
        try:
            found.append(str(entry.readlink()))
        except FileNotFoundError:  # closed meanwhile
            continue
    return sorted(found)


def children(process: int) -> list[int]:
    """Return the processes that a process has started."""
    return [int(p) for p in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def check_that_none_is_left(
    process: int, before: list[str], what: str, more: int = SOME_MORE
) -> None:
    """Fail unless a process has at most `more` open than `before`, once it has closed the rest."""
    wait_until(
        lambda: len(descriptors(process)) <= len(before) + more,
        f"{what}: {len(before)} descriptors before, now {descriptors(process)}",
        seconds=15,
    )
