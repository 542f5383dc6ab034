"""A command on a terminal of its own: what it prints, and when, and Ctrl-C."""

import os
import pty
import re
import subprocess
import threading
import time
from pathlib import Path

from tests.support.waiting import wait_until


class Terminal:
    """The command runs until it ends or is interrupted; every line is kept and goes to `log`."""

    def __init__(self, command: list[str], log: Path) -> None:
        self._master, slave = pty.openpty()
        # setsid and -c: the terminal is its own, so that Ctrl-C reaches all that it starts.
        self.process = subprocess.Popen(
            ["setsid", "--ctty", "--wait", *command], stdin=slave, stdout=slave, stderr=slave
        )
        os.close(slave)
        self.began_at = time.monotonic()
        self.lines: list[tuple[float, str]] = []
        self._log = log
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        rest = ""
        with self._log.open("wb") as log:
            while True:
                try:
                    octets = os.read(self._master, 65536)
                except OSError:  # nobody has the other side any more
                    break
                log.write(octets)
                log.flush()
                *whole, rest = (rest + octets.decode(errors="replace")).split("\n")
                seconds = time.monotonic() - self.began_at
                self.lines += [(seconds, line.strip()) for line in whole]

    @property
    def text(self) -> str:
        """All lines until now."""
        return "\n".join(line for _, line in self.lines)

    def seconds_until(self, pattern: str) -> float | None:
        """Return after how many seconds the first line came that matches; None before that."""
        return next((when for when, line in self.lines if re.search(pattern, line)), None)

    def wait_for(self, pattern: str, seconds: float) -> float:
        """Wait for a line that matches and return its seconds; AssertionError at an early end."""
        wait_until(
            lambda: self.seconds_until(pattern) is not None or self.process.poll() is not None,
            f"a line with {pattern!r} (see {self._log})",
            seconds,
        )
        found = self.seconds_until(pattern)
        assert found is not None, f"ended early:\n{self.text[-3000:]}"
        return found

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._master, b"\x03")

    def wait(self, seconds: float | None = None) -> int:
        """Wait for the end of the command and of its output; return the exit code."""
        code = self.process.wait(seconds)
        self._reader.join()
        os.close(self._master)
        return code
