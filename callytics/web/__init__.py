"""The pages, one blueprint a file."""

from flask import Flask


def init_web(app: Flask) -> None:
    """Register every page on `app`."""
    from callytics.web import (
        access,
        audio,
        calls,
        errors,
        filters,
        flow_drafts,
        flow_files,
        flow_history,
        flow_nodes,
        flow_queues,
        flow_typing,
        flows,
        headers,
        health,
        kept,
        login,
        many,
        notes,
        recordings,
        saved_searches,
        words,
    )

    for module in (login, recordings, saved_searches, notes, many, calls, audio, health):
        app.register_blueprint(module.blueprint)
    for module in (flows, flow_nodes, flow_queues, flow_typing, flow_drafts, flow_files):
        app.register_blueprint(module.blueprint)
    app.register_blueprint(flow_history.blueprint)
    headers.init_headers(app)
    words.init_words(app)
    filters.init_filters(app)
    errors.init_errors(app)
    access.init_access(app)
    login.init_login(app)
    app.wsgi_app = kept.KeptAnswers(app)  # type: ignore[method-assign]
