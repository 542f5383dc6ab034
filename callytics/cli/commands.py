"""Base of all command groups."""

from typing import Any

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from callytics.database.health import database_away


class Commands(click.Group):
    """Command group that reports an unusable database in one line."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command. Raises ClickException if the database cannot be used."""
        try:
            return super().invoke(ctx)
        except (OperationalError, ProgrammingError) as error:
            raise click.ClickException(database_away(error)) from error
