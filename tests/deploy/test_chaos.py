"""The short form of `make chaos`: a few calls over all paths while everything dies once."""

from pathlib import Path

import pytest

from tests.chaos.run import run
from tests.chaos.scene import WatchedAsterisk
from tests.support.postgres import Postgres

CALLS, FAULTS, SEED = 13, 3, 7


@pytest.mark.asterisk
@pytest.mark.long
def test_every_recording_of_a_bad_day_is_accounted_for(
    postgres: Postgres, postgres_env: dict[str, str], tmp_path: Path
) -> None:
    with WatchedAsterisk(tmp_path / "asterisk") as asterisk:
        report = run(
            SEED,
            CALLS,
            FAULTS,
            asterisk=asterisk,
            postgres=postgres,
            environment={**postgres_env, **asterisk.environment},
            folder=tmp_path,
            patient=False,
        )
    assert report.passes, "\n".join([*report.lines(), *map(str, report.outcomes), *report.wrong])
    assert dict(report.faults) == {"worker": 1, "asterisk": 1, "database": 1}
    # Proof that there was something to lose.
    assert len(report.outcomes) >= 3
