"""Fixtures for tests of pages: a library with the administrator ada and the reviewer rita."""

import shutil
from pathlib import Path

import pytest

from callytics import close_app
from callytics.database.engine import db
from tests.support.made_once import made_once
from tests.support.pages import PageClient
from tests.support.processes import Install, fresh_environment
from tests.support.shelf import Shelf


@pytest.fixture(scope="session")
def furnished_database(install: Install, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Database with the schema and both users."""

    def make(folder: Path) -> None:
        shelf = Shelf.of(install(folder))
        shelf.add_person("ada", "admin")
        shelf.add_person("rita")
        with shelf.app.app_context(), db.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        close_app(shelf.app)

    return made_once(tmp_path_factory, "furnished", make) / "callytics.db"


@pytest.fixture
def web_env(furnished_database: Path, tmp_path: Path) -> dict[str, str]:
    """Environment of a new installation with both users."""
    shutil.copy(furnished_database, tmp_path / "callytics.db")
    return fresh_environment(tmp_path)


@pytest.fixture
def shelf(web_env: dict[str, str]) -> Shelf:
    """Library of that installation, whose clients check every page."""
    shelf = Shelf.of(web_env)
    shelf.app.test_client_class = PageClient
    return shelf
