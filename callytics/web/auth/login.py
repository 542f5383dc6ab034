"""Signing in and out."""

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

# Counted are only attempts that failed. The name's limit stands against many addresses.
FAILURES_PER_ADDRESS = "20 per minute"
FAILURES_PER_NAME = "10 per 5 minutes"

blueprint = Blueprint("login", __name__)


class ViewLimiter(Limiter):
    """Counts where a view has a limit, and costs nothing before all others.

    Flask-Limiter also looks before each request for limits that all views share. There are none,
    and to look for them takes a tenth of the time of a part of a recording.
    """

    def _check_request_limit(
        self, callable_name: str | None = None, in_middleware: bool = True
    ) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


def init_login(app: Flask) -> None:
    """Limit how fast passwords can be tried on `app`."""
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
    """The form; whoever is signed in already goes on."""
    if current_user.is_authenticated:
        return redirect(wanted_page())
    return render_template("auth/login.html", wanted=request.args.get("next", ""))


@blueprint.post("/login")
def sign_in() -> Response | tuple[str, int]:
    """Begin a session for the right name and password."""
    # PostgreSQL refuses a NUL in a text, and no page may hold one.
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
    # Hashed: the file of attempts need not know names, nor a password typed in the wrong field.
    return sha256(request.form.get("username", "").strip().lower().encode()).hexdigest()


def _person_key() -> str:
    return str(current_user.id)


def wanted_page() -> str:
    """Return the page to go to after signing in: a path of this site alone.

    Browsers read `//host` and `/\\host` as another site's address, and drop tabs and line ends.
    """
    wanted = request.values.get("next", "")
    odd = any(c <= " " or c == "\\" for c in wanted)
    if odd or not wanted.startswith("/") or wanted.startswith("//") or urlsplit(wanted).netloc:
        return url_for("recordings.index")
    return wanted
