"""Base of all command groups, and the one line in which a command reports an error."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from callytics.database.health import database_away


class Commands(click.Group):
    """Command group that reports an unusable database in one line."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. Raises ClickException if the database cannot be used."""
        try:
            return super().invoke(ctx)
        except (OperationalError, ProgrammingError) as error:
            raise click.ClickException(database_away(error)) from error


@contextmanager
def reporting(*errors: type[Exception]) -> Iterator[None]:
    """Decorate a command, or open a block: report these errors in one line and exit with 1."""
    try:
        yield
    except errors as error:
        raise click.ClickException(str(error)) from error


def operator() -> str:
    """Return the author of what a command does: a name that no user can have."""
    return f"{getpass.getuser()} (command)"
