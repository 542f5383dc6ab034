"""Pages of sign-in and account."""

from flask import Flask


def register_pages(app: Flask) -> None:
    """Register the blueprints of this package on `app`."""
    from callytics.web.auth import account, login

    for module in (login, account):
        app.register_blueprint(module.blueprint)
