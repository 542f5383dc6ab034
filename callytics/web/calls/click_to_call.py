"""Click-to-call: rings the user's own phone, then calls the number."""

from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
)
from flask_login import current_user
from limits import parse
from limits.storage import storage_from_string
from limits.strategies import FixedWindowRateLimiter
from werkzeug.wrappers import Response

from callytics.ari.commands import AriError
from callytics.calls.originate import place_call
from callytics.pbx import heartbeat
from callytics.telephony.numbers import NumberError, typed_number
from callytics.web.auth.login import wanted_page
from callytics.web.auth.rate_limit_store import storage_uri
from callytics.web.http.list_pages import is_htmx, varied

blueprint = Blueprint("placing", __name__)

# Limits for one user: a double click places one call, and no person dials more often than MOST.
ONCE = parse("1 per 5 seconds")
MOST = parse("20 per minute")


NOBODY_LEADS = (
    "The worker is not running or has no connection to Asterisk, so nobody could lead the call. "
    "Tell an administrator."
)


class Refused(Exception):
    """Refused call, with advice for the user and the HTTP status."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.status = status


@blueprint.get("/call")
def form() -> str:
    """Show the form as a page of its own, for windows too narrow for the form in the header."""
    return render_template(
        "calls/click_to_call/form.html", number=request.args.get("to", ""), problem=None
    )


@blueprint.post("/call")
def place() -> Response:
    """Ring the user's phone, or show the reason why not."""
    typed = request.form.get("number", "")
    try:
        number = _place(typed)
    except Refused as error:
        if is_htmx():
            said = render_template("errors/_message.html", title="No call", advice=str(error))
            return varied(make_response(said, error.status))
        page = render_template("calls/click_to_call/form.html", number=typed, problem=str(error))
        return varied(make_response(page, error.status))
    said = f"Your phone rings now; then {number} is called."
    if is_htmx():
        return varied(make_response(render_template("calls/click_to_call/_dialed.html", said=said)))
    flash(said)
    return redirect(wanted_page(), 303)


def _place(typed: str) -> str:
    if not current_user.endpoint:
        raise Refused("You have no phone yet; an administrator sets it under Users.", 409)
    try:
        number = typed_number(typed)
    except NumberError as error:
        raise Refused(f"This cannot be called: {error}.", 400) from error
    # Without a connected worker, the call would ring the phone and then go nowhere.
    if not heartbeat.is_any_connected(heartbeat.living_pbxs()):
        raise Refused(NOBODY_LEADS, 503)
    limits = FixedWindowRateLimiter(storage_from_string(storage_uri(current_app)))
    once = ("call", str(current_user.id), number)
    if not limits.hit(ONCE, *once):
        raise Refused(f"Your phone rings for {number} already.", 409)
    if not limits.hit(MOST, "call", str(current_user.id)):
        raise Refused("You have placed many calls in the last minute. Wait a little.", 429)
    config = current_app.extensions["callytics"]
    try:
        place_call(config, current_user.endpoint, number, current_user.username)
    except AriError as error:
        limits.clear(ONCE, *once)
        raise Refused(f"The call could not be placed. {error}", 502) from error
    return number


@blueprint.app_template_filter()
def callable_number(number: str | None) -> str:
    """Return the number in dialable form, or an empty text if this user cannot call it."""
    try:
        return typed_number(number or "") if current_user.endpoint else ""
    except NumberError:
        return ""


@blueprint.app_context_processor
def _for_templates() -> dict[str, object]:
    return {"back_here": request.full_path.rstrip("?") if request.method == "GET" else ""}
