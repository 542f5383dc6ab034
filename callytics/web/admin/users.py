"""User administration: accounts, roles and phones."""

from collections.abc import Callable

from flask import Blueprint, abort, flash, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from callytics.audit.admin_changes import changes_of
from callytics.people import users
from callytics.people.passwords import new_password
from callytics.people.users import UserError
from callytics.web.auth.access import admin_required

blueprint = Blueprint("users", __name__)

MOST_CHANGES = 50
Answer = Response | tuple[str, int] | str


@blueprint.get("/users")
@admin_required
def index() -> str:
    """Show all users, and the latest changes."""
    changes = changes_of("person", MOST_CHANGES)
    return render_template("admin/users/index.html", people=users.all_users(), changes=changes)


@blueprint.get("/users/add")
@admin_required
def form() -> str:
    """Show the form for a new user."""
    return render_template("admin/users/add.html", typed={})


@blueprint.post("/users/add")
@admin_required
def add() -> Answer:
    """Add a user; a generated password is shown on this page and never again."""
    typed = {name: _text(name) for name in ("username", "role", "endpoint")}
    password = request.form.get("password", "")
    made = "" if password else new_password()
    try:
        users.add_user(
            typed["username"],
            typed["role"],
            password or made,
            endpoint=typed["endpoint"],
            changed_by=current_user.actor,
        )
    except UserError as error:
        return render_template("admin/users/add.html", typed=typed, problem=str(error)), 400
    return _done(typed["username"], f"{typed['username']} can sign in.", made)


@blueprint.get("/users/<int:user_id>")
@admin_required
def show(user_id: int) -> str:
    """Show one user, with a form for each change."""
    return render_template("admin/users/show.html", person=_find(user_id), typed={})


@blueprint.post("/users/<int:user_id>/role")
@admin_required
def role(user_id: int) -> Answer:
    """Change the role of a user."""
    person, wanted = _find(user_id), _text("role")
    done = f"{person.username} is {'an administrator' if wanted == 'admin' else 'a reviewer'} now."
    return _change(person, done, users.change_role, wanted)


@blueprint.post("/users/<int:user_id>/endpoint")
@admin_required
def endpoint(user_id: int) -> Answer:
    """Change the phone of a user."""
    person, wanted = _find(user_id), _text("endpoint")
    done = f"The phone of {person.username} is {wanted}." if wanted else "No phone is set now."
    return _change(person, done, users.change_endpoint, wanted)


@blueprint.post("/users/<int:user_id>/password")
@admin_required
def password(user_id: int) -> Answer:
    """Set a typed or generated password; all sessions of the user end."""
    person, typed = _find(user_id), request.form.get("password", "")
    made = "" if typed else new_password()
    try:
        key = users.change_password(user_id, typed or made, current_user.actor)
    except UserError as error:
        return _refused(person, "password", error)
    if user_id == current_user.id:
        session["key"] = key
    return _done(person.username, f"{person.username} has a new password.", made)


@blueprint.post("/users/<int:user_id>/sessions")
@admin_required
def end_sessions(user_id: int) -> Answer:
    """End all sessions of a user."""
    person = _find(user_id)
    return _change(person, f"{person.username} is signed out everywhere.", users.end_sessions)


@blueprint.get("/users/<int:user_id>/remove")
@admin_required
def ask(user_id: int) -> str:
    """Ask before a user is removed."""
    return render_template("admin/users/remove.html", person=_find(user_id))


@blueprint.post("/users/<int:user_id>/remove")
@admin_required
def remove(user_id: int) -> Answer:
    """Remove a user, or show the question again with the problem."""
    person = _find(user_id)
    try:
        users.remove_user(user_id, current_user.actor)
    except UserError as error:
        return render_template("admin/users/remove.html", person=person, problem=str(error)), 409
    flash(f"{person.username} is removed and signed out.")
    return redirect(url_for("users.index"), 303)


def _text(name: str) -> str:
    # PostgreSQL allows no NUL in a text.
    return request.form.get(name, "").strip().replace("\0", "")


def _find(user_id: int) -> users.UserRow:
    person = users.user_by_id(user_id)
    if person is None:
        abort(404, "There is no such person. They may have been removed.")
    return person


def _change(person: users.UserRow, done: str, change: Callable[..., None], *values: str) -> Answer:
    try:
        change(person.id, *values, current_user.actor)
    except UserError as error:
        return _refused(person, change.__name__, error)
    flash(done)
    return redirect(url_for("users.show", user_id=person.id), 303)


def _refused(person: users.UserRow, what: str, error: UserError) -> tuple[str, int]:
    typed = {name: _text(name) for name in ("role", "endpoint") if name in request.form}
    return render_template(
        "admin/users/show.html", person=person, typed=typed, problem=str(error), wrong=what
    ), 409


def _done(username: str, said: str, made: str) -> Answer:
    if made:
        return render_template(
            "admin/users/password.html", username=username, said=said, password=made
        )
    flash(said)
    return redirect(url_for("users.index"), 303)
