"""The pages, one blueprint a file."""

from flask import Flask


def init_web(app: Flask) -> None:
    """Register every page on `app`."""
    from callytics.web import (
        access,
        account,
        audio,
        calls,
        errors,
        filters,
        flow_drafts,
        flow_files,
        flow_history,
        flow_nodes,
        flow_phones,
        flow_queues,
        flow_typing,
        flows,
        headers,
        health,
        kept,
        live,
        login,
        many,
        notes,
        pausing,
        placing,
        queues,
        recordings,
        saved_searches,
        settings,
        users,
        words,
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
