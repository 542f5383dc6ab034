"""`flask about`: version, database, recordings folder, object store and PBXs of an installation."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol, cast

import click
from flask import current_app
from sqlalchemy import make_url, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.util import immutabledict

from callytics.config import Config
from callytics.database.health import database_problem
from callytics.database.reading import read
from callytics.version import __version__
from callytics.workers.models import Worker


class WorkerRow(Protocol):
    """Row of a worker, as of its last heartbeat."""

    name: str
    seen_at: datetime
    connected_at: datetime | None
    asterisk_version: str


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
        workers = _workers()
    except SQLAlchemyError:
        return ["not known, since the database cannot be used"]
    return [_pbx_text(row) for row in workers] or ["none, no worker has reported yet"]


def _workers() -> Sequence[WorkerRow]:
    columns = (Worker.name, Worker.seen_at, Worker.connected_at, Worker.asterisk_version)
    return cast(Sequence[WorkerRow], read(select(*columns).order_by(Worker.name)))


def _pbx_text(row: WorkerRow) -> str:
    connection = f"Asterisk {row.asterisk_version}" if row.connected_at else "not connected"
    return f"{row.name}, {connection}, worker seen {row.seen_at:%Y-%m-%d %H:%M:%S} UTC"
