"""Callytics: call recordings for Asterisk. `create_app` is the application factory."""

from flask import Flask

from callytics.config import PROJECT_DIR, Config, load_config, read_environment
from callytics.database import postgres
from callytics.storage.folder import Storage
from callytics.version import __version__

__all__ = ["__version__", "close_app", "create_app"]


def create_app(config: Config | None = None) -> Flask:
    """Return the application for `config`, by default that of the environment.

    A process that outlives it calls `close_app`. Raises ConfigError for an unusable variable.
    """
    from callytics import (
        cli,
        tables as _tables,  # noqa: F401 (registers them with the metadata)
        web,
    )
    from callytics.database.engine import init_db

    config = config or load_config(read_environment())
    app = Flask(
        __name__,
        instance_path=str(config.instance_dir.resolve()),
        template_folder=str(PROJECT_DIR / "templates"),
        static_folder=str(PROJECT_DIR / "static"),
    )
    app.config.update(
        SECRET_KEY=config.secret_key,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SQLALCHEMY_ENGINE_OPTIONS=_engine_options(config),
    )
    app.extensions["callytics"] = config
    app.extensions["to_close"] = []
    app.extensions["storage"] = Storage(config.recordings_dir)
    init_db(app)
    web.init_web(app)
    cli.init_cli(app)
    return app


def close_app(app: Flask) -> None:
    """Close the connections to the database that `app` keeps open; it opens new ones if used."""
    for close in app.extensions["to_close"]:
        close()


def _engine_options(config: Config) -> dict[str, object]:
    # Errors are logged without the values of the statement: names, numbers and password hashes.
    options: dict[str, object] = {"hide_parameters": True}
    if config.database_url.startswith("postgresql"):
        options |= postgres.engine_options(config.database_url)
    return options
