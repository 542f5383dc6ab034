"""What every host needs, looked at one thing at a time: None when it is well, else in words.

Used by `flask doctor` and `/readyz`.
"""

from datetime import timedelta
from functools import cache
from typing import Any

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from callytics.clock import utc_now
from callytics.config import PROJECT_DIR
from callytics.database.engine import db
from callytics.recordings.library import WORKER_SILENT_SECONDS
from callytics.storage.folder import Storage

# With less than this a disk counts as full: a minute of a call takes one.
FULL_MB = 10
SCHEMA_OLD = "the database's schema is not that of this version: run flask db upgrade"


def database_problem() -> str | None:
    """Why the database cannot be used. Needs an app context."""
    try:
        with db.engine.connect() as connection:
            return _schema_problem(connection)
    except SQLAlchemyError as error:
        return database_away(error)


def worker_problem(worker: Any | None) -> str | None:
    """Why the newest worker's row does not show one at work."""
    if worker is None:
        return "no worker has ever run: start one with python -m worker"
    silent = utc_now() - worker.seen_at
    if silent > timedelta(seconds=WORKER_SILENT_SECONDS):
        return f"no worker has been seen for {silent.total_seconds():.0f} seconds: start it again"
    return None


def folder_problem(storage: Storage, least_mb: int = FULL_MB) -> str | None:
    """Why recordings cannot be kept, or that less than `least_mb` MB are left for them."""
    try:
        problem = storage.problem()
        free_mb = 0 if problem else storage.free_bytes() >> 20
    except OSError as error:
        return f"RECORDINGS_DIR: {storage.root} cannot be looked at ({error.strerror})"
    if problem is None and free_mb < max(least_mb, FULL_MB):
        return (
            f"RECORDINGS_DIR: {free_mb} MB are left where {storage.root} is; "
            "make room, or calls will not be recorded"
        )
    return problem


def database_away(error: SQLAlchemyError) -> str:
    """One line for a database that failed us, without a secret."""
    # Only the driver's own words: SQLAlchemy's may hold the address with its password.
    said = str(getattr(error, "orig", "") or type(error).__name__).strip().splitlines()[0]
    if "no such table" in said or said.startswith("relation "):
        return SCHEMA_OLD
    return (
        f"DATABASE_URL: the database cannot be used ({said}); "
        "start it, or set DATABASE_URL to one that can be opened"
    )


def _schema_problem(connection: Connection) -> str | None:
    if set(MigrationContext.configure(connection).get_current_heads()) == _newest_schema():
        return None
    return SCHEMA_OLD


@cache
def _newest_schema() -> set[str]:
    return set(ScriptDirectory(str(PROJECT_DIR / "callytics" / "migrations")).get_heads())
