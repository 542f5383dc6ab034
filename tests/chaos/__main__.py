"""`python -m tests.chaos N [PBXS]`: N calls while things die. SEED=… repeats a run."""

import os
import random
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tests.chaos.run import Report, run
from tests.chaos.scene import WatchedAsterisk
from tests.support.postgres import Postgres
from tests.support.processes import fresh_environment, run_flask

# As many calls as this for each fault.
CALLS_A_FAULT = 6


def main(calls: int, pbxs: int = 1) -> int:
    """Run, print, and keep everything where something was lost; the exit code."""
    seed = int(os.environ.get("SEED") or random.randrange(1_000_000))
    print(f"seed: {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="callytics-chaos-"))
    report = _run(seed, calls, pbxs, folder)
    print("\n".join(report.lines()))
    for outcome in report.outcomes:
        if outcome.what == "lost":
            print(outcome)
    print("\n".join(report.wrong), end="\n" if report.wrong else "")
    (folder / "outcomes").write_text("\n".join(map(str, report.outcomes)) + "\n")
    if report.passes and not os.environ.get("KEEP"):
        shutil.rmtree(folder)
    else:
        print(f"All of it is kept in {folder}: diary, outcomes, logs, recordings.")
    return 0 if report.passes else 1


def _run(seed: int, calls: int, pbxs: int, folder: Path) -> Report:
    with Postgres() as postgres, ExitStack() as stack:
        homes = [folder / f"asterisk-{number}" for number in range(pbxs)]
        asterisks = [stack.enter_context(WatchedAsterisk(home)) for home in homes]
        environment = {**fresh_environment(folder), **asterisks[0].environment}
        environment["DATABASE_URL"] = postgres.new_database()
        environment["RECORDINGS_DIR"] = str(folder / "recordings")
        run_flask(environment, "db", "upgrade")
        return run(
            seed,
            calls,
            max(3, calls // CALLS_A_FAULT),
            asterisks=asterisks,
            postgres=postgres,
            environment=environment,
            folder=folder,
        )


if __name__ == "__main__":
    given = [int(argument) for argument in sys.argv[1:]]
    sys.exit(main(*given or (50,)))
