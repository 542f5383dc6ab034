"""Sign-in and sign-out, with limits of wrong passwords."""

from functools import partial
from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from callytics.people import users
from callytics.people.names import account_name
from callytics.web.auth import known_browser
from callytics.web.auth.access import Person, begin_session
from callytics.web.auth.attempts import (
    PER_ADDRESS,
    PER_BROWSER,
    PER_NAME,
    Limit,
    RefusedAttempt,
    attempt,
)
from callytics.web.auth.sign_in_log import log_failure, log_sign_in
from callytics.web.http.security_headers import client_address

blueprint = Blueprint("login", __name__)


@blueprint.get("/login")
def form() -> str | Response:
    """Show the form; redirect a user who is signed in already."""
    if current_user.is_authenticated:
        return redirect(wanted_page())
    return render_template("auth/login.html", wanted=request.args.get("next", ""))


@blueprint.post("/login")
def sign_in() -> Response | tuple[str, int]:
    """Begin a session for the right name and password."""
    typed = request.form.get("username", "").replace("\0", "")
    check = partial(users.sign_in, typed, request.form.get("password", ""))
    try:
        row = attempt(check, *_limits(typed))
    except RefusedAttempt as error:
        if error.is_first:
            log_failure(typed, "sign in refused")
        raise
    if row is None:
        log_failure(typed, "sign in failed")
        wanted = request.form.get("next", "")
        shown = "".join(c for c in typed if c.isprintable())
        return render_template("auth/login.html", username=shown, wanted=wanted, wrong=True), 401
    person = Person(row)
    log_sign_in(person.actor, "sign in")
    begin_session(row.session_key)
    login_user(person)
    return known_browser.remember(redirect(wanted_page(), 303), row.id)


def _limits(typed: str) -> list[Limit]:
    """Return the limits of an attempt: of this browser, if its person has signed in here before.

    Otherwise wrong passwords from elsewhere could shut that person out.
    """
    known = known_browser.read()
    person = users.user_spelled(typed) if known else None
    if known and person and known.user_id == person.id:
        return [Limit(PER_BROWSER, "browser", f"{known.user_id} {known.browser}")]
    return [
        Limit(PER_ADDRESS, "address", client_address()),
        Limit(PER_NAME, "name", account_name(typed)),
    ]


@blueprint.post("/logout")
def sign_out() -> Response:
    """End the session and, with a new key, every copy of it.

    A copied cookie must not outlive the sign-out of the browser that it was taken from. To tell
    copies from another browser of the same person, each session would need a row of its own that
    every request reads; so the person's other browsers are signed out too, and the button says so.
    """
    user_id = current_user.id
    log_sign_in(current_user.actor, "sign out")
    logout_user()
    begin_session()
    users.end_sessions(user_id)
    flash("You are signed out.")
    return redirect(url_for("login.form"), 303)


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
