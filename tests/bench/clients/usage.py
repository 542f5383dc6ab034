"""CPU time and memory of a process, and the load of the machine beside it."""

import os
from pathlib import Path

from tests.bench.printing import figure

_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used, in all of its threads."""
    # The name, which may hold spaces, ends at the last parenthesis.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system = int(fields[11]), int(fields[12])
    return (user + system) / _TICKS_PER_SECOND


def resident_mb(pid: int) -> float:
    """Return the memory of a process that no other one shares, in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    own = (line.split() for line in lines if line.startswith("Private_"))
    return sum(int(fields[1]) for fields in own) / 1024


def print_load() -> None:
    """Print the load of the machine: CPU time is comparable only within one run."""
    figure("load_of_the_machine", os.getloadavg()[0])
