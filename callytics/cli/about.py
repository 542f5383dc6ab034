"""`flask about`: version, database, recordings folder, object store and PBXs of an installation."""

from collections.abc import Iterator

import click
from flask import current_app
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.util import immutabledict

from callytics.config import Config
from callytics.database.health import database_problem
from callytics.pbx.heartbeat import PbxRow, all_pbxs
from callytics.version import __version__


@click.command("about")
def about() -> None:
    """Print version, database, folder, store and PBXs, one line each."""
    config: Config = current_app.extensions["callytics"]
    for line in about_lines(config):
        click.echo(line)


def about_lines(config: Config) -> Iterator[str]:
    """Yield the lines of `flask about`, without any secret. Needs an app context."""
    problem = database_problem()
    yield f"version: {__version__}"
    yield f"database: {public_database_url(config.database_url)}"
    if problem:
        yield f"          {problem}"
    yield f"folder: {config.recordings_dir}"
    yield "store: none, recordings stay in the folder"
    yield f"ARI: {config.ari_url}, application {config.ari_app}"
    for text in _pbx_texts():
        yield f"PBX: {text}"


def public_database_url(url: str) -> str:
    """Return `url` without password and options, either of which may be secret."""
    public = make_url(url)._replace(password=None, query=immutabledict())
    return public.render_as_string(hide_password=False)


def _pbx_texts() -> list[str]:
    try:
        workers = all_pbxs()
    except SQLAlchemyError:
        return ["not known, since the database cannot be used"]
    return [_pbx_text(row) for row in workers] or ["none, no worker has reported yet"]


def _pbx_text(row: PbxRow) -> str:
    connection = f"Asterisk {row.asterisk_version}" if row.connected_at else "not connected"
    given_up = ", given up as lost" if row.given_up_at else ""
    return f"{row.name}, {connection}, worker seen {row.seen_at:%Y-%m-%d %H:%M:%S} UTC{given_up}"
