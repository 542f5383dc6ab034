"""Pages of flows."""

from flask import Flask


def register_pages(app: Flask) -> None:
    """Register the blueprints of this package on `app`."""
    from callytics.web.flows import (
        drafts,
        import_export,
        live_validation,
        nodes,
        pages,
        phone_picker,
        queues,
        versions,
    )

    editor = (pages, nodes, queues, live_validation, phone_picker)
    for module in (*editor, drafts, versions, import_export):
        app.register_blueprint(module.blueprint)
