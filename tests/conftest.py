"""Fixtures: servers for the session, and a fresh installation for each test."""

import os
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.apps import close_all
from tests.support.asterisk import AsteriskServer
from tests.support.dealing import in_order, mark
from tests.support.fork_server import ForkServer
from tests.support.made_once import made_once
from tests.support.postgres import Postgres
from tests.support.processes import (
    FORK_SERVERS,
    Install,
    Web,
    Worker,
    fresh_environment,
    run_flask,
)
from tests.support.sipp import Phones

pytest_plugins = (
    "tests.support.browser_fixtures",
    "tests.support.call_fixtures",
    "tests.support.web_fixtures",
)

UPGRADE = ("db", "upgrade")
# Name of the database of the newest schema in the template of the PostgreSQL cluster.
NEW = "newest"

# An example that a busy machine takes long over proves nothing.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a test that is skipped has failed: there everything can be had."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and os.environ.get("CI") == "true":
        report.outcome = "failed"
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests with what they need, and put those first that take long."""
    mark(items)
    items[:] = in_order(items)


@pytest.fixture(scope="session", autouse=True)
def fork_servers() -> Iterator[None]:
    """Start workers and web servers quickly."""
    with ForkServer("worker") as worker, ForkServer("gunicorn") as gunicorn:
        FORK_SERVERS.update(worker=worker, gunicorn=gunicorn)
        yield
        FORK_SERVERS.clear()


@pytest.fixture(autouse=True)
def close_applications() -> Iterator[None]:
    """Close what the applications of a test opened, after everything else of the test."""
    yield
    close_all()


@pytest.fixture(scope="session")
def asterisk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsteriskServer]:
    """One Asterisk for all tests. One that cannot be had fails the tests: nothing is skipped."""
    with AsteriskServer(tmp_path_factory.mktemp("asterisk")) as server:
        yield server


@pytest.fixture(scope="session")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database as `flask db upgrade` makes it, to be copied for each test."""

    def make(folder: Path) -> None:
        run_flask(fresh_environment(folder), *UPGRADE)

    return made_once(tmp_path_factory, "sqlite", make) / "callytics.db"


@pytest.fixture(scope="session")
def install(new_database: Path) -> Install:
    """Factory of new installations: with a database in a folder, it returns the environment."""

    def install(folder: Path) -> dict[str, str]:
        environment = fresh_environment(folder)
        shutil.copy(new_database, environment["DATABASE_URL"].removeprefix("sqlite:///"))
        return environment

    return install


@pytest.fixture
def app_env(tmp_path: Path, install: Install) -> dict[str, str]:
    """The environment of a new installation with its database, and no Asterisk."""
    return install(tmp_path)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL with the empty database NEW; a test that ends it starts it again."""

    def make(folder: Path) -> None:
        with Postgres() as first:
            url = first.fresh_database(NEW)
            run_flask({**fresh_environment(folder), "DATABASE_URL": url}, *UPGRADE)
            first.terminate()
            shutil.copytree(first.folder / "data", folder / "data", symlinks=True)

    template = made_once(tmp_path_factory, "postgresql", make) / "data"
    with Postgres(template=template) as server:
        yield server


@pytest.fixture
def postgres_env(tmp_path: Path, postgres: Postgres) -> dict[str, str]:
    """The same as `app_env`, with its database on PostgreSQL."""
    return {**fresh_environment(tmp_path), "DATABASE_URL": postgres.new_database(NEW)}


@pytest.fixture(params=["sqlite", "postgresql"])
def any_env(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of a new installation, once on each database."""
    name = "app_env" if request.param == "sqlite" else "postgres_env"
    return request.getfixturevalue(name)


@pytest.fixture
def live_env(app_env: dict[str, str], asterisk: AsteriskServer) -> Iterator[dict[str, str]]:
    """The environment of a new installation that records with the real Asterisk."""
    asterisk.use_recordings(Path(app_env["RECORDINGS_DIR"]))
    yield {**app_env, **asterisk.environment}
    if asterisk.process:
        asterisk.hang_up_all()


@pytest.fixture
def worker_process(live_env: dict[str, str], tmp_path: Path) -> Iterator[Worker]:
    """A worker that is connected to Asterisk."""
    with Worker(live_env, tmp_path) as worker:
        yield worker


@pytest.fixture
def phones(asterisk: AsteriskServer, worker_process: Worker, tmp_path: Path) -> Iterator[Phones]:
    """Real phones of the sample pjsip.conf, each switched on by its test, and those outside."""
    with Phones(asterisk, tmp_path) as phones:
        yield phones


@pytest.fixture
def web_server(app_env: dict[str, str], tmp_path: Path) -> Iterator[Web]:
    """A web server of the new installation; without Asterisk, which it need not have."""
    with Web(app_env, tmp_path) as web:
        yield web


@pytest.fixture
def live_web_server(live_env: dict[str, str], tmp_path: Path) -> Iterator[Web]:
    """A web server of the installation that `worker_process` works for."""
    with Web(live_env, tmp_path) as web:
        yield web
