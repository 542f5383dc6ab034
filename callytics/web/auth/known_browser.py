"""Cookie of a browser in which a person has signed in: signed, and closed to scripts.

Its attempts have a limit of their own, so that wrong passwords from elsewhere do not shut out the
person who sits there. It signs nobody in.
"""

import secrets
from typing import NamedTuple

from flask import current_app, request, url_for
from itsdangerous import BadData, URLSafeTimedSerializer
from werkzeug.wrappers import Response

COOKIE = "callytics_browser"
ONE_YEAR = 365 * 24 * 3600


class KnownBrowser(NamedTuple):
    """The person who signed in last in this browser, and a random name of the browser."""

    user_id: int
    browser: str


def read() -> KnownBrowser | None:
    """Return the content of the cookie, or None if there is none that we have signed."""
    try:
        user_id, browser = _signer().loads(request.cookies.get(COOKIE, ""), max_age=ONE_YEAR)
    except (BadData, ValueError, TypeError):
        return None
    return KnownBrowser(user_id, browser)


def remember(response: Response, user_id: int) -> Response:
    """Set the cookie for a person who has just signed in; return the response."""
    known = read()
    browser = known.browser if known and known.user_id == user_id else secrets.token_urlsafe(16)
    response.set_cookie(
        COOKIE,
        _signer().dumps((user_id, browser)),
        max_age=ONE_YEAR,
        path=url_for("login.form"),
        secure=request.is_secure,
        httponly=True,
        samesite="Lax",
    )
    return response


def _signer() -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(str(current_app.secret_key), salt="callytics known browser")
