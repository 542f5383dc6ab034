"""Pages of the library."""

from flask import Flask


def register_pages(app: Flask) -> None:
    """Register the blueprints of this package on `app`."""
    from callytics.web.recordings import audio, bulk_actions, notes, pages, pause, saved_searches

    for module in (pages, saved_searches, notes, bulk_actions, audio, pause):
        app.register_blueprint(module.blueprint)
