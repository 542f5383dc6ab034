"""Pages of calls."""

from flask import Flask


def register_pages(app: Flask) -> None:
    """Register the blueprints of this package on `app`."""
    from callytics.web.calls import click_to_call, live, pages

    for module in (pages, live, click_to_call):
        app.register_blueprint(module.blueprint)
