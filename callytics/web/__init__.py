"""Web pages: one blueprint in each module."""

from types import ModuleType

from flask import Flask


def init_web(app: Flask) -> None:
    """Register every page on `app`."""
    from callytics.version import __version__
    from callytics.web import health
    from callytics.web.admin import queues, settings, users
    from callytics.web.auth import access, account, login
    from callytics.web.calls import click_to_call, live, pages as calls
    from callytics.web.flows import (
        drafts as flow_drafts,
        import_export,
        live_validation,
        nodes as flow_nodes,
        pages as flows,
        phone_picker,
        queues as flow_queues,
        versions,
    )
    from callytics.web.http import (
        cached_until_write,
        error_pages,
        formatting,
        security_headers,
    )
    from callytics.web.recordings import (
        audio,
        bulk_actions,
        notes,
        pages as recordings,
        pause,
        saved_searches,
        search_labels,
    )

    pages: tuple[ModuleType, ...] = (
        *(login, account, health),
        *(recordings, saved_searches, notes, bulk_actions, audio, pause),
        *(calls, live, click_to_call),
        *(flows, flow_nodes, flow_queues, live_validation, phone_picker),
        *(flow_drafts, versions, import_export),
        *(queues, settings, users),
    )
    for module in pages:
        app.register_blueprint(module.blueprint)
    app.jinja_env.globals["app_version"] = __version__
    security_headers.init_headers(app)
    formatting.init_formatting(app)
    search_labels.init_search_labels(app)
    error_pages.init_errors(app)
    access.init_access(app)
    cached_until_write.init_cached_until_write(app)
