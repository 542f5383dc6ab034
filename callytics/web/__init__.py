"""The pages, one blueprint a file."""

from flask import Flask


def init_web(app: Flask) -> None:
    """Register every page on `app`."""
    from callytics.version import __version__
    from callytics.web import health
    from callytics.web.admin import queues, settings, users
    from callytics.web.auth import access, account, login
    from callytics.web.calls import click_to_call, live
    from callytics.web.calls import pages as calls
    from callytics.web.flows import (
        drafts as flow_drafts,
    )
    from callytics.web.flows import (
        import_export,
        live_validation,
        phone_picker,
        versions,
    )
    from callytics.web.flows import (
        nodes as flow_nodes,
    )
    from callytics.web.flows import (
        pages as flows,
    )
    from callytics.web.flows import (
        queues as flow_queues,
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
        pause,
        saved_searches,
        search_form,
    )
    from callytics.web.recordings import (
        pages as recordings,
    )

    pages = (login, recordings, saved_searches, notes, bulk_actions, calls, audio, health)
    pages += (live, pause, queues, settings, users, account, click_to_call)
    for module in pages:
        app.register_blueprint(module.blueprint)
    for module in (flows, flow_nodes, flow_queues, live_validation, flow_drafts, import_export):
        app.register_blueprint(module.blueprint)
    for module in (versions, phone_picker):
        app.register_blueprint(module.blueprint)
    app.jinja_env.globals["app_version"] = __version__
    security_headers.init_headers(app)
    formatting.init_words(app)
    search_form.init_filters(app)
    error_pages.init_errors(app)
    access.init_access(app)
    login.init_login(app)
    cached_until_write.init_cached_until_write(app)
