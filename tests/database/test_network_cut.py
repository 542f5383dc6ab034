"""Network to PostgreSQL that is cut without a reset: noticed within seconds, by whatever waits."""

import json
import os
import subprocess
import sys

import pytest

from tests.support.postgres import USER, Postgres
from tests.support.process import PROJECT

Env = dict[str, str]
# A server that is not heard of for 10 seconds is gone; TCP alone takes 15 minutes, or two hours.
NOTICED_SECONDS = 20


@pytest.mark.postgres
@pytest.mark.slow
def test_a_cut_is_noticed_by_queries_and_by_the_pool(postgres: Postgres, postgres_env: Env) -> None:
    private = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    if subprocess.run([*private, "true"], capture_output=True, check=False).returncode:
        pytest.skip("no network of its own: that takes root, or user namespaces")
    database = postgres_env["DATABASE_URL"].rpartition("/")[2]
    arguments = (
        f"{postgres.folder}/.s.PGSQL.{postgres.port}",
        f"postgresql://{USER}@127.0.0.1:PORT/{database}",
    )
    done = subprocess.run(
        [*private, sys.executable, "-m", "tests.support.cut_network", *arguments],
        cwd=PROJECT,
        env=postgres_env,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    noticed = json.loads(done.stdout)
    assert noticed.keys() == {"in progress", "new", "pooled"}
    assert all(seconds is not None for seconds in noticed.values()), noticed
    assert max(noticed.values()) < NOTICED_SECONDS, noticed
