"""Time and memory of `flask recordings verify` and `reconcile`, at two sizes.

Memory is not to grow with the number of recordings: what is printed at the end is the ratio of
the peaks, and 1.00 means that it does not.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import monotonic

from callytics.recordings import ledger
from callytics.recordings.facts import Facts
from tests.support.apps import app_of
from tests.support.process import PROJECT
from tests.support.processes import fresh_environment, run_flask
from tests.support.shelf import wav_bytes

SIZES = (10_000, 100_000)
# A busy office; a folder is sorted in memory, and so a day is what is held at once.
A_DAY = 1000
FIRST_DAY = datetime(2025, 1, 1, tzinfo=UTC)
SOUND = b"\x40\x01" * 160


def main() -> None:
    """Print seconds, rows a second and peak memory of each, and how memory grows."""
    peaks = []
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            environment = _library(Path(folder), size)
            seconds, peak = _measure(environment, "verify")
            print(f"verify_{size}_seconds: {seconds:.2f}")
            print(f"verify_{size}_rows_per_second: {size / seconds:.0f}")
            print(f"verify_{size}_peak_mb: {peak:.1f}")
            peaks.append(peak)
            _lose_database(environment, Path(folder))
            seconds, peak = _measure(environment, "reconcile")
            print(f"rebuild_{size}_seconds: {seconds:.2f}")
            print(f"rebuild_{size}_rows_per_second: {size / seconds:.0f}")
            print(f"rebuild_{size}_peak_mb: {peak:.1f}", flush=True)
    print(f"verify_memory_growth: {peaks[1] / peaks[0]:.2f}")


def _library(folder: Path, size: int) -> dict[str, str]:
    """An installation with so many recordings, all in order."""
    environment = fresh_environment(folder)
    run_flask(environment, "db", "upgrade")
    content = wav_bytes(SOUND)
    with app_of(environment):
        recordings = _recordings(size, len(content))
        while some := list(islice(recordings, A_DAY)):
            _write(Path(environment["RECORDINGS_DIR"]), some, content)
            ledger.change_recordings([ledger.RowChange(facts.uid, None, facts) for facts in some])
    return environment


def _recordings(size: int, size_bytes: int) -> Iterator[Facts]:
    for number in range(size):
        day, second = divmod(number, A_DAY)
        started_at = FIRST_DAY + timedelta(days=day, seconds=60 * second)
        yield Facts(
            uid=f"{number * 7919 % 1_000_003:020x}",
            kind="transfer",
            direction="inbound",
            state="available",
            started_at=started_at,
            ended_at=started_at + timedelta(milliseconds=20),
            duration_ms=len(SOUND) // 16,
            size_bytes=size_bytes,
            sha256="0" * 64,
            format="wav",
            call_uid=f"{number:020x}",
            caller_number="15550100",
            callee="PJSIP/desk",
            flow="main",
            node="desk",
        )


def _write(root: Path, recordings: list[Facts], content: bytes) -> None:
    # Not through Storage, which waits for the disk after each.
    for facts in recordings:
        path = root / facts.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.with_suffix(".json").write_text(facts.to_json())


def _lose_database(environment: dict[str, str], folder: Path) -> None:
    for file in folder.glob("callytics.db*"):
        file.unlink()
    shutil.rmtree(folder / "instance")
    run_flask(environment, "db", "upgrade")


def _measure(environment: dict[str, str], command: str) -> tuple[float, float]:
    """Seconds, and the peak of resident memory in MB, of one command that must succeed."""
    begun = monotonic()
    arguments = [sys.executable, "-m", "flask", "recordings", command]
    with (Path(environment["RECORDINGS_DIR"]).parent / "said").open("w") as said:
        process = subprocess.Popen(arguments, cwd=PROJECT, env=environment, stdout=said)
        _, status, usage = os.wait4(process.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0, f"{command} failed"
    process.returncode = 0
    return monotonic() - begun, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
