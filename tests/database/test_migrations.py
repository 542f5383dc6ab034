"""Schema made by the migrations, compared with the models."""

from pathlib import Path

import pytest

from tests.support.postgres import Postgres
from tests.support.processes import fresh_environment, run_flask


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.slow
def test_the_migrations_lead_to_the_tables_of_the_models(
    database: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    environment = fresh_environment(tmp_path)
    if database == "postgresql":
        postgres: Postgres = request.getfixturevalue("postgres")
        environment["DATABASE_URL"] = postgres.new_database()
    run_flask(environment, "db", "upgrade")
    run_flask(environment, "db", "check")
