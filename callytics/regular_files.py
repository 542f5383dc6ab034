"""Regular files: refuses what only looks like one, such as a FIFO, a device or a hard link.

Others may write to the recordings folder. A FIFO would block whoever opens it; a hard link could
show any file that Callytics may read.
"""

import os
import stat
from io import BufferedReader
from pathlib import Path

# Without O_NONBLOCK, opening a FIFO would wait for a writer.
OPEN_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC


class IrregularFileError(OSError):
    """A file that is refused; the message says why."""


def open_regular(path: Path) -> BufferedReader:
    """Open a file for reading. Raises FileNotFoundError, IrregularFileError, OSError."""
    return regular(os.open(path, OPEN_FLAGS))


def regular(descriptor: int, links: bool = False) -> BufferedReader:
    """Return the file of `descriptor`, or close it and raise IrregularFileError.

    With `links` it may be a hard link.
    """
    try:
        check_regular(os.fstat(descriptor), links)
    except IrregularFileError:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def check_regular(status: os.stat_result, links: bool = False) -> None:
    """Raise IrregularFileError unless this is the status of a regular file."""
    if not stat.S_ISREG(status.st_mode):
        raise IrregularFileError("a recording's path is not a file")
    if status.st_nlink > 1 and not links:
        raise IrregularFileError(
            "a recording's file is a hard link, perhaps to one elsewhere; use a copy"
        )
