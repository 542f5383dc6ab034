"""Connections to the database of an application that is given up."""

import sqlite3

import pytest

from callytics import close_app
from callytics.database.engine import db
from tests.support.apps import new_app


def test_a_connection_in_use_is_closed_when_it_is_given_back(app_env: dict[str, str]) -> None:
    app = new_app(app_env)
    with app.app_context():
        idle, used = db.engine.connect(), db.engine.connect()
        opened = [each.connection.dbapi_connection for each in (idle, used)]
        idle.close()
        close_app(app)
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            opened[0].execute("SELECT 1")
        used.exec_driver_sql("SELECT 1")
        used.close()
        with pytest.raises(sqlite3.ProgrammingError, match="closed"):
            opened[1].execute("SELECT 1")


def test_an_application_that_was_closed_opens_new_connections(app_env: dict[str, str]) -> None:
    app = new_app(app_env)
    with app.app_context():
        close_app(app)
        for _ in range(2):
            with db.engine.connect() as connection:
                opened = connection.connection.dbapi_connection
        assert opened.execute("SELECT 1").fetchone() == (1,), "the pool keeps it"
