"""Callytics: call recordings for Asterisk. `create_app` builds the web application."""

from flask import Flask

from callytics.config import PROJECT_DIR, Config, load_config, read_environment
from callytics.storage import Storage


def create_app(config: Config | None = None) -> Flask:
    """The application, for `config` or for what the environment says.

    Raises ConfigError when a variable cannot be used.
    """
    from callytics import cli, db, web

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
        # A failed statement is logged without its values: they are names and password hashes.
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True},
    )
    app.extensions["callytics"] = config
    app.extensions["storage"] = Storage(config.recordings_dir)
    db.init_db(app)
    web.init_web(app)
    cli.init_cli(app)
    return app
