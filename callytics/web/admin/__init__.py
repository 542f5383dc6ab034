"""Pages of administration."""

from flask import Flask


def register_pages(app: Flask) -> None:
    """Register the blueprints of this package on `app`."""
    from callytics.web.admin import queues, settings, users

    for module in (queues, settings, users):
        app.register_blueprint(module.blueprint)
