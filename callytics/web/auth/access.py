"""Access control: sign-in, session timeouts and roles."""

import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import Flask, abort, current_app, redirect, request, session, url_for
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf import CSRFProtect
from werkzeug.wrappers import Response

from callytics.audit.authors import Actor
from callytics.people.users import UserRow, user_by_id
from callytics.web.http.cached_until_write import cached_until_write

# A session ends after IDLE_SECONDS without a request, and WHOLE_SECONDS after the sign-in.
IDLE_SECONDS = 2 * 3600
WHOLE_SECONDS = 12 * 3600
# Largest body of a request without a session.
STRANGERS_BYTES = 64 * 1024
# Endpoints and blueprints that need no sign-in; all others do.
PUBLIC_ENDPOINTS = ("static", "login.form", "login.sign_in")
PUBLIC_BLUEPRINTS = ("health",)
# Pages of the navigation: endpoint, name, administrators only.
PAGES = (
    ("recordings.index", "Recordings", False),
    ("calls.index", "Calls", False),
    ("live.index", "Live", False),
    ("flows.index", "Flows", True),
    ("queues.index", "Queues", True),
    ("settings.index", "Settings", True),
    ("users.index", "Users", True),
)
# Header of requests that a page sends by itself; they do not keep a session alive.
POLL_HEADER = "X-Callytics-Poll"

P = ParamSpec("P")
R = TypeVar("R")


class Person(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """Signed-in user."""

    def __init__(self, row: UserRow) -> None:
        self.id = row.id
        self.username = row.username
        self.role = row.role
        self.endpoint = row.endpoint

    @property
    def actor(self) -> Actor:
        """Author of what this person does."""
        return Actor(self.username, self.id)

    @property
    def is_admin(self) -> bool:
        """True if this person may delete, and see flows, settings and users."""
        return bool(self.role == "admin")


def init_access(app: Flask) -> None:
    """Require a sign-in for the pages of `app`, and a CSRF token for its forms."""
    app.config.update(
        SESSION_COOKIE_NAME="callytics_session",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        # A token is valid as long as the session, since a page may stay open all day.
        WTF_CSRF_TIME_LIMIT=None,
        # The token is enough: a comparison of Referer and Host fails behind a proxy that changes
        # Host.
        WTF_CSRF_SSL_STRICT=False,
    )
    # Before the check of the token, which reads the whole form.
    app.before_request(_limit_strangers)
    CSRFProtect(app)
    # An error page must not load the user from the database, which may be the cause of the error.
    manager = LoginManager()
    manager.init_app(app, add_context_processor=False)
    manager.user_loader(_load_person)
    app.jinja_env.globals.update(current_user=current_user, pages_for=pages_for)
    app.before_request(_ask_to_sign_in)


def admin_required(view: Callable[P, R]) -> Callable[P, R]:
    """Answer 403 unless the user is an administrator."""

    @wraps(view)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if not getattr(current_user, "is_admin", False):
            abort(403, "Only an administrator can do this. Ask one of them.")
        return view(*args, **kwargs)

    return checked


def pages_for(person: Person) -> list[tuple[str, str]]:
    """Return endpoint and name of each page of the navigation that this user may open."""
    return [
        (endpoint, name)
        for endpoint, name, admins_only in PAGES
        if endpoint in current_app.view_functions and (person.is_admin or not admins_only)
    ]


def begin_session(key: str = "") -> None:
    """Start a new session and drop the old content, against session fixation.

    The session is valid while the user's row has the same `key`; a new key ends every copy.
    """
    session.clear()
    session["began"] = session["seen"] = int(time.time())
    session["key"] = key


def _load_person(user_id: str) -> Person | None:
    now = int(time.time())
    idle, whole = now - session.get("seen", 0), now - session.get("began", 0)
    if idle > IDLE_SECONDS or whole > WHOLE_SECONDS:
        return None
    # At most once a minute, so that most responses set no cookie.
    if idle > 60 and POLL_HEADER not in request.headers:
        session["seen"] = now
    row = cached_until_write(user_by_id, int(user_id))
    # Sessions from before the column `session_key` have no key, and its default is empty.
    return Person(row) if row and row.session_key == session.get("key", "") else None


def _limit_strangers() -> None:
    """Read no more of somebody without a session than the form of the sign-in takes."""
    if "_user_id" not in session:
        request.max_content_length = STRANGERS_BYTES


def _ask_to_sign_in() -> Response | None:
    public = request.endpoint in PUBLIC_ENDPOINTS or request.blueprint in PUBLIC_BLUEPRINTS
    # An unknown URL has no endpoint: it gets its 404 without a sign-in.
    if request.endpoint is None or public or current_user.is_authenticated:
        return None
    if "HX-Request" in request.headers:
        return Response(status=401, headers={"HX-Redirect": url_for("login.form")})
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("login.form", next=wanted))
