"""The pages, one blueprint a file."""

from flask import Flask


def init_web(app: Flask) -> None:
    """Register every page on `app`."""
    from callytics.web import health
    from callytics.web.admin import queues, settings, users
    from callytics.web.auth import access, account, login
    from callytics.web.calls import click_to_call as placing
    from callytics.web.calls import live
    from callytics.web.calls import pages as calls
    from callytics.web.flows import (
        drafts as flow_drafts,
    )
    from callytics.web.flows import (
        import_export as flow_files,
    )
    from callytics.web.flows import (
        live_validation as flow_typing,
    )
    from callytics.web.flows import (
        nodes as flow_nodes,
    )
    from callytics.web.flows import (
        pages as flows,
    )
    from callytics.web.flows import (
        phone_picker as flow_phones,
    )
    from callytics.web.flows import (
        queues as flow_queues,
    )
    from callytics.web.flows import (
        versions as flow_history,
    )
    from callytics.web.http import (
        error_pages as errors,
    )
    from callytics.web.http import (
        formatting as words,
    )
    from callytics.web.http import (
        response_cache as kept,
    )
    from callytics.web.http import (
        security_headers as headers,
    )
    from callytics.web.recordings import (
        audio,
        notes,
        saved_searches,
    )
    from callytics.web.recordings import (
        bulk_actions as many,
    )
    from callytics.web.recordings import (
        pages as recordings,
    )
    from callytics.web.recordings import (
        pause as pausing,
    )
    from callytics.web.recordings import (
        search_form as filters,
    )

    pages = (login, recordings, saved_searches, notes, many, calls, audio, health)
    pages += (live, pausing, queues, settings, users, account, placing)
    for module in pages:
        app.register_blueprint(module.blueprint)
    for module in (flows, flow_nodes, flow_queues, flow_typing, flow_drafts, flow_files):
        app.register_blueprint(module.blueprint)
    for module in (flow_history, flow_phones):
        app.register_blueprint(module.blueprint)
    headers.init_headers(app)
    words.init_words(app)
    filters.init_filters(app)
    errors.init_errors(app)
    access.init_access(app)
    login.init_login(app)
    app.wsgi_app = kept.KeptAnswers(app)  # type: ignore[method-assign]
