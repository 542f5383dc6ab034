"""Health check of the database and its schema. Used by `flask doctor` and `/readyz`."""

from functools import cache

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from callytics.config import PROJECT_DIR
from callytics.database.reading import reading

SCHEMA_OLD = "the database's schema is not that of this version: run flask db upgrade"


def database_problem() -> str | None:
    """Return why the database cannot be used, or None. Needs an app context."""
    try:
        with reading() as connection:
            return _schema_problem(connection)
    except SQLAlchemyError as error:
        return database_away(error)


def database_away(error: SQLAlchemyError) -> str:
    """Return one line that describes the failure of a database, without secrets."""
    # Only the message of the driver: SQLAlchemy's own may contain the URL with its password.
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
