"""How `flask db …` reaches the database."""

import sys

from alembic import context
from flask import current_app
from sqlalchemy.exc import OperationalError

from callytics.database.health import database_away

db = current_app.extensions["migrate"].db


def _is_ours(name: str | None, _kind: str, _parents: object) -> bool:
    """Whether the models speak of it; SQLite's index for searches is tables of its own."""
    return not (name or "").startswith("recordings_search")


def run() -> None:
    """Run the migrations on the application's own engine, one transaction each."""
    # Writing from the first on: what was only read could not be changed once others have written.
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
