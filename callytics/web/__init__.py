"""Web pages: a package for each part of the site, a blueprint in each of its modules."""

from flask import Flask


def init_web(app: Flask) -> None:
    """Register every page on `app`."""
    from callytics.version import __version__
    from callytics.web import admin, auth, calls, flows, health, recordings
    from callytics.web.auth import access
    from callytics.web.http import (
        cached_until_write,
        error_pages,
        formatting,
        numbers,
        security_headers,
    )
    from callytics.web.recordings import search_labels

    # Before the routes that use it.
    app.url_map.converters["int"] = numbers.BoundedInteger
    for package in (auth, recordings, calls, flows, admin):
        package.register_pages(app)
    app.register_blueprint(health.blueprint)
    app.jinja_env.globals["app_version"] = __version__
    security_headers.init_headers(app)
    formatting.init_formatting(app)
    search_labels.init_search_labels(app)
    error_pages.init_errors(app)
    access.init_access(app)
    cached_until_write.init_cached_until_write(app)
