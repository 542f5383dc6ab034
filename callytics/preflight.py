"""`python -m callytics.preflight COMMAND …`: checks before the web starts, then exec of COMMAND.

A process of its own looks: no connection, lock or module of it is carried into gunicorn's workers,
where gevent must be the first to lay its hands on them.
"""

import errno
import os
import socket
import sys

from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from callytics.config import DATABASE_URL_FORM, Config, ConfigError, load_config, read_environment
from callytics.database.health import database_away
from callytics.storage.folder import Storage
from callytics.storage.private_files import keep_files_private

CONNECT_SECONDS = 10


def start_problem(config: Config) -> str | None:
    """Return the reason not to start the web, with the variable and the mend, or None."""
    folder_problem = Storage(config.recordings_dir).problem()
    return port_problem(config) or folder_problem or _database_problem(config.database_url)


def port_problem(config: Config) -> str | None:
    """Return the reason why the web cannot listen on its address, or None."""
    family = socket.AF_INET6 if ":" in config.bind else socket.AF_INET
    with socket.socket(family) as probe:
        # Connections of a web that has just ended do not keep gunicorn from the port either.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.bind, config.port))
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                return f"BIND: {config.bind} is no address of this machine; set BIND to one that is"
            return f"PORT: {config.port} cannot be used ({error.strerror}); set PORT to another"
    return None


def _database_problem(url: str) -> str | None:
    options = {"connect_timeout": CONNECT_SECONDS} if url.startswith("postgresql") else {}
    try:
        with create_engine(url, poolclass=NullPool, connect_args=options).connect() as connection:
            MigrationContext.configure(connection).get_current_heads()
    except (ArgumentError, ValueError):
        return DATABASE_URL_FORM
    except SQLAlchemyError as error:
        return database_away(error)
    return None


def main(command: list[str]) -> None:
    """Become `command`, or end with one line that says why not."""
    keep_files_private()
    try:
        config = load_config(read_environment())
    except ConfigError as error:
        sys.exit(str(error))
    if problem := start_problem(config):
        sys.exit(problem)
    # gunicorn reads this by itself, before any setting, and breaks where it is empty.
    os.environ["WEB_CONCURRENCY"] = str(config.web_concurrency)
    if command:
        os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
