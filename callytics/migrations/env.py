"""Environment of Alembic: runs the migrations on the application's own engine."""

import sys

from alembic import context
from flask import current_app
from sqlalchemy.exc import OperationalError

from callytics.database.health import database_away

db = current_app.extensions["migrate"].db


def _is_ours(name: str | None, _kind: str, _parents: object) -> bool:
    """Return True if the models describe it. They describe no index of the search text: on SQLite
    it is a set of tables, on PostgreSQL it is missing where pg_trgm cannot be installed."""
    return not (name or "").startswith(("recordings_search", "recordings_by_search"))


def run() -> None:
    """Run the migrations, each in its own transaction."""
    # BEGIN IMMEDIATE: a transaction of SQLite that began by reading fails when it writes after
    # another process has written.
    with db.engine.connect().execution_options(writes=True) as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            user_module_prefix="",
            include_name=_is_ours,
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


try:
    run()
except OperationalError as error:
    sys.exit(database_away(error))
