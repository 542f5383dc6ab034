"""How `flask db …` reaches the database."""

import sys

from alembic import context
from flask import current_app
from sqlalchemy.exc import OperationalError

from callytics.checks import database_away

db = current_app.extensions["migrate"].db


def run() -> None:
    """Run the migrations on the application's own engine, one transaction each."""
    with db.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_as_batch=True,
            user_module_prefix="",
            transaction_per_migration=True,
        )
        with context.begin_transaction():
            context.run_migrations()


try:
    run()
except OperationalError as error:
    sys.exit(database_away(error))
