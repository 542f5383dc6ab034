"""All benchmarks: `make bench ROWS=… DB=…`. One figure a line, `name: value`."""

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic

from tests.bench import (
    against,
    answer_to_recording,
    filling,
    growth,
    inserting,
    pages,
    sound,
    verify,
)
from tests.bench.clients import bridges, calls, live_calls
from tests.bench.load import SECONDS
from tests.support.shelf import Shelf

SMALL = 10_000
# Of the program itself, then of a library, the quickest first.
ALONE: dict[str, Callable[[], None]] = {
    "answer_to_recording": answer_to_recording.main,
    "calls": calls.main,
    "live_calls": live_calls.main,
    "bridges": bridges.main,
    "verify": verify.main,
}
OF_LIBRARY = ("growth", "pages", "audio", "inserting", "peers")
PARTS = (*ALONE, *OF_LIBRARY)


def main(arguments: Sequence[str]) -> None:
    """Run them one after the other, so that they do not disturb each other."""
    asked = _asked(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for name in asked.parts:
        if name in ALONE:
            ALONE[name]()
    if any(name in OF_LIBRARY for name in asked.parts):
        measure_library(asked.rows, asked.db, asked.parts, asked.seconds)


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--db", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each that is counted")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if asked.rows < 100:
        parser.error("ROWS must be 100 at least")
    asked.parts = asked.parts or PARTS
    return asked


def measure_library(rows: int, database: str, parts: Sequence[str], seconds: float) -> None:
    """Measure a library with so many recordings."""
    with _libraries(rows, database) as (small, large, folder):
        measures: dict[str, Callable[[], None]] = {
            "growth": lambda: growth.measure(small, large),
            "pages": lambda: pages.measure(large, folder, seconds),
            "audio": lambda: sound.measure(large, folder, seconds),
            "inserting": lambda: inserting.measure(large, folder, 2 * seconds),
            "peers": lambda: against.measure(large, folder),
        }
        for name in OF_LIBRARY:
            if name in parts:
                measures[name]()


@contextmanager
def _libraries(rows: int, database: str) -> Iterator[tuple[Shelf, Shelf, Path]]:
    """The small one, the large one, and a folder for what the measurements need."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="callytics-bench-")))
        if database == "postgresql":
            postgres = stack.enter_context(filling.kept_postgres())
        began = monotonic()
        shelves = []
        for name, count in (("small", SMALL), ("large", rows)):
            print(f"  a library of {count:,} recordings on {database}", flush=True)
            of = folder / name
            if database == "postgresql":
                environment = filling.postgresql_library(count, of, postgres)
            else:
                environment = filling.sqlite_library(count, of)
            shelves.append(Shelf.of(environment))
            stack.enter_context(filling.tidied(shelves[-1]))
        print(f"  filled, or found, in {monotonic() - began:.0f} s; kept in {filling.cache()}")
        yield shelves[0], shelves[1], folder / "large"


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit("broken off")
