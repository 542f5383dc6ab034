"""Behavior that all groups of commands share."""

from typing import Any

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from callytics.database.health import database_away


class Commands(click.Group):
    """A group whose commands say in one line that the database cannot be used."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except (OperationalError, ProgrammingError) as error:
            raise click.ClickException(database_away(error)) from error
