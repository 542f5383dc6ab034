"""How `flask db …` reaches the database."""

from alembic import context
from flask import current_app

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


run()
