"""Sign-in and sign-out, with rate limits for wrong passwords."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_limiter import Limiter
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from callytics.people import users
from callytics.web.auth.access import Person, begin_session
from callytics.web.auth.rate_limit_store import storage_uri
from callytics.web.http.security_headers import client_address

# Only failed attempts count. The limit of a name also stops attempts from many addresses.
FAILURES_PER_ADDRESS = "20 per minute"
FAILURES_PER_NAME = "10 per 5 minutes"

blueprint = Blueprint("login", __name__)


class ViewLimiter(Limiter):
    """Rate limiter that runs only in views with a limit of their own.

    Before each request, Flask-Limiter also checks limits that all views share. There are none, and
    the check takes a tenth of the time of a request for a part of a recording.
    """

    def _check_request_limit(
        self, callable_name: str | None = None, in_middleware: bool = True
    ) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


def init_login(app: Flask) -> None:
    """Limit the rate of failed passwords on `app`."""
    limiter = ViewLimiter(
        client_address, app=app, storage_uri=storage_uri(app), headers_enabled=True
    )
    for endpoint, who in (("login.sign_in", _name_key), ("account.change_password", _person_key)):
        view: Callable[..., Any] = app.view_functions[endpoint]
        for limit, key in ((FAILURES_PER_ADDRESS, client_address), (FAILURES_PER_NAME, who)):
            view = limiter.limit(limit, key_func=key, deduct_when=_was_refused)(view)
        app.view_functions[endpoint] = view


@blueprint.get("/login")
def form() -> str | Response:
    """Show the form; redirect a user who is signed in already."""
    if current_user.is_authenticated:
        return redirect(wanted_page())
    return render_template("auth/login.html", wanted=request.args.get("next", ""))


@blueprint.post("/login")
def sign_in() -> Response | tuple[str, int]:
    """Begin a session for the right name and password."""
    # PostgreSQL allows no NUL in a text, and HTML neither.
    username = request.form.get("username", "").replace("\0", "")
    row = users.sign_in(username, request.form.get("password", ""))
    if row is None:
        wanted = request.form.get("next", "")
        return render_template("auth/login.html", username=username, wanted=wanted, wrong=True), 401
    begin_session(row.session_key)
    login_user(Person(row))
    return redirect(wanted_page(), 303)


@blueprint.post("/logout")
def sign_out() -> Response:
    """End the session and, with a new key, every copy of it.

    A copied cookie must not outlive the sign-out of the browser that it was taken from. To tell
    copies from another browser of the same person, each session would need a row of its own that
    every request reads; so the person's other browsers are signed out too, and the button says so.
    """
    user_id = current_user.id
    logout_user()
    begin_session()
    users.end_sessions(user_id)
    flash("You are signed out.")
    return redirect(url_for("login.form"), 303)


def _was_refused(response: Response) -> bool:
    return response.status_code in (401, 403)


def _name_key() -> str:
    # Hashed, so that the store has no names, and no password that was typed in the wrong field.
    return sha256(request.form.get("username", "").strip().lower().encode()).hexdigest()


def _person_key() -> str:
    return str(current_user.id)


def wanted_page() -> str:
    """Return the path of the page to open after signing in, always on this site.

    Browsers read `//host` and `/\\host` as the address of another site, and ignore tabs and line
    ends.
    """
    wanted = request.values.get("next", "")
    odd = any(c <= " " or c == "\\" for c in wanted)
    if odd or not wanted.startswith("/") or wanted.startswith("//") or urlsplit(wanted).netloc:
        return url_for("recordings.index")
    return wanted
