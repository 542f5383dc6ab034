"""Health endpoints: answers for monitors without sign-in and without secrets."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, update

from callytics.clock import utc_now
from callytics.database.transactions import writing
from callytics.pbx.models import Pbx
from callytics.version import __version__
from tests.support.pbxs import record_heartbeat
from tests.support.processes import Install, fresh_environment
from tests.support.shelf import Shelf


@pytest.fixture(scope="module")
def shelf(install: Install, tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    environment = install(tmp_path_factory.mktemp("shelf"))
    return Shelf.of(environment)


@pytest.fixture
def client(shelf: Shelf) -> Iterator[FlaskClient]:
    """Somebody who has not signed in, while a worker is alive."""
    with shelf.app.app_context():
        record_heartbeat("node-1", utc_now(), utc_now(), "22.10.1")
        yield shelf.app.test_client()
        with writing() as connection:
            connection.execute(delete(Pbx))


def test_healthz_answers_with_the_version(client: FlaskClient) -> None:
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, f"ok\nCallytics {__version__}\n")


def test_healthz_does_not_need_the_database(tmp_path: Path) -> None:
    environment = fresh_environment(tmp_path)
    shelf = Shelf.of({**environment, "DATABASE_URL": "postgresql://u:hush@127.0.0.1:1/db"})
    assert shelf.app.test_client().get("/healthz").status_code == 200


def test_where_all_is_well_it_is_ready(client: FlaskClient) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    well = {"ok": True, "says": "ok"}
    assert answer.json == {
        "ready": True,
        "checks": {"database": well, "folder": well, "worker": well},
    }


def test_a_worker_that_was_never_there_is_told(client: FlaskClient) -> None:
    with writing() as connection:
        connection.execute(delete(Pbx))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["ready"]) == (503, False)
    assert "python -m worker" in answer.json["checks"]["worker"]["says"]
    assert answer.json["checks"]["database"]["ok"]


@pytest.mark.parametrize(("seconds", "status"), [(20, 200), (40, 503)])
def test_a_worker_that_fell_silent_is_told_after_half_a_minute(client, seconds, status) -> None:
    with writing() as connection:
        seen_at = utc_now() - timedelta(seconds=seconds)
        connection.execute(update(Pbx).values(seen_at=seen_at))
    answer = client.get("/readyz")
    assert answer.status_code == status
    assert answer.json["checks"]["worker"]["ok"] is (status == 200)


def test_a_folder_that_is_gone_is_told(client: FlaskClient, shelf: Shelf) -> None:
    away = shelf.storage.root.with_name("unmounted")
    shelf.storage.root.rename(away)
    try:
        answer = client.get("/readyz")
    finally:
        away.rename(shelf.storage.root)
    assert answer.status_code == 503
    assert "does not exist" in answer.json["checks"]["folder"]["says"]


def test_a_database_without_its_tables_is_told(tmp_path: Path) -> None:
    answer = Shelf.of(fresh_environment(tmp_path)).app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert "flask db upgrade" in answer.json["checks"]["database"]["says"]
    assert not answer.json["checks"]["worker"]["ok"]


def test_a_database_that_is_away_is_told_without_its_password(tmp_path: Path) -> None:
    environment = fresh_environment(tmp_path)
    shelf = Shelf.of({**environment, "DATABASE_URL": "postgresql://u:hush@127.0.0.1:1/db"})
    answer = shelf.app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert "DATABASE_URL" in answer.json["checks"]["database"]["says"]
    assert not answer.json["checks"]["worker"]["ok"]
    for word in ("hush", "127.0.0.1", "u:"):
        assert word not in answer.text
