"""Account page: own password and own phone."""

from functools import partial

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from callytics.people import users
from callytics.people.users import UserError
from callytics.web.auth.attempts import PER_BROWSER, Limit, attempt
from callytics.web.auth.sign_in_log import log_sign_in

blueprint = Blueprint("account", __name__)


@blueprint.get("/account")
def index() -> str:
    """Show the account."""
    return render_template("auth/account.html")


@blueprint.post("/account")
def change_password() -> Response | tuple[str, int]:
    """Change the password if the old one is right; all other sessions of the user end."""
    check = partial(users.sign_in, current_user.username, request.form.get("current", ""))
    if attempt(check, Limit(PER_BROWSER, "person", str(current_user.id))) is None:
        log_sign_in(current_user.actor, "password change failed")
        return _refused("current", "This is not your password now. Try again."), 403
    password = request.form.get("password", "")
    if password != request.form.get("again", ""):
        return _refused("again", "The two are not the same. Type the new one twice."), 400
    try:
        session["key"] = users.change_password(current_user.id, password, current_user.username)
    except UserError as error:
        return _refused("password", str(error)), 400
    flash("Your password is changed. Everywhere else you are signed out.")
    return redirect(url_for("account.index"), 303)


def _refused(field: str, problem: str) -> str:
    return render_template("auth/account.html", wrong=field, problem=problem)
