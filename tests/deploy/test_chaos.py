"""The short form of `make chaos`: a few calls over all paths while everything dies once."""

from pathlib import Path

import pytest

from tests.chaos.plan import NETWORKS, RESTARTABLE
from tests.chaos.run import Report, run
from tests.chaos.scene import WatchedAsterisk
from tests.support.postgres import Postgres

CALLS, FAULTS, SEED = 13, 3, 7
# With the networks there are two more kinds of faults.
CALLS_OF_TWO, FAULTS_OF_TWO = 16, 5


@pytest.mark.asterisk
@pytest.mark.long
def test_every_recording_of_a_bad_day_is_accounted_for(
    postgres: Postgres, postgres_env: dict[str, str], tmp_path: Path
) -> None:
    with WatchedAsterisk(tmp_path / "asterisk") as asterisk:
        environment = {**postgres_env, **asterisk.environment}
        report = _bad_day(postgres, environment, tmp_path, [asterisk], CALLS, FAULTS)
    assert dict(report.faults) == {"worker": 1, "asterisk": 1, "database": 1}


@pytest.mark.asterisk
@pytest.mark.long
def test_two_pbxs_on_one_database_lose_nothing_either(
    postgres: Postgres, postgres_env: dict[str, str], tmp_path: Path
) -> None:
    with WatchedAsterisk(tmp_path / "one") as one, WatchedAsterisk(tmp_path / "two") as two:
        environment = {**postgres_env, **one.environment}
        both = [one, two]
        report = _bad_day(postgres, environment, tmp_path, both, CALLS_OF_TWO, FAULTS_OF_TWO)
    assert dict(report.faults) == dict.fromkeys((*RESTARTABLE, *NETWORKS), 1)


def _bad_day(
    postgres: Postgres,
    environment: dict[str, str],
    folder: Path,
    asterisks: list[WatchedAsterisk],
    calls: int,
    faults: int,
) -> Report:
    report = run(
        SEED,
        calls,
        faults,
        asterisks=asterisks,
        postgres=postgres,
        environment=environment,
        folder=folder,
        patient=False,
    )
    assert report.passes, "\n".join([*report.lines(), *map(str, report.outcomes), *report.wrong])
    # Proof that there was something to lose.
    assert len(report.outcomes) >= 3
    return report
