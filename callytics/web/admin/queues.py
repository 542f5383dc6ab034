"""Queue page: waiting callers, members, and pausing a member."""

from flask import Blueprint, abort, flash, redirect, request, session, url_for
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from callytics.audit.admin_changes import changes_of
from callytics.database.paging import Page
from callytics.flows.queue_fields import STRATEGIES
from callytics.queues import membership, overview
from callytics.telephony.numbers import phone
from callytics.web.auth.access import admin_required
from callytics.web.http.list_pages import Around, Table, is_htmx, list_response

blueprint = Blueprint("queues", __name__)

MEMBER_STATES = {
    "free": "Free",
    "busy": "Busy",
    "wrapping up": "Writing up",
    "paused": "Paused",
}
MEMBER_ICONS = {
    "free": "available",
    "busy": "call",
    "wrapping up": "requested",
    "paused": "pause",
}
# Waiting callers shown for each queue; their number is above them.
MOST_WAITING = 20
# Newest changes shown.
MOST_CHANGES = 20


@blueprint.get("/queues")
@admin_required
def index() -> Response:
    """Show all queues with their members and waiting callers."""
    return _board()


@blueprint.post("/queues/<name>/<any(pause, resume):change>")
@admin_required
def change(name: str, change: str) -> Response:
    """Pause or resume a member."""
    member = request.form.get("member", "")
    try:
        (membership.pause if change == "pause" else membership.resume)(
            name, member, current_user.actor
        )
    except membership.QueueError as error:
        abort(409, f"{str(error).capitalize()}. The flows were changed meanwhile.")
    until = "no calls of {} until resumed" if change == "pause" else "calls of {} again"
    said = f"{phone(member)} takes {until.format(name)}."
    if is_htmx():
        return _with_status(_board(), said)
    flash(said)
    return redirect(url_for("queues.index"), 303)


@blueprint.app_context_processor
def _for_templates() -> dict[str, object]:
    return {
        "QUEUE_STRATEGIES": STRATEGIES,
        "MEMBER_STATES": MEMBER_STATES,
        "MEMBER_ICONS": MEMBER_ICONS,
        "MOST_WAITING": MOST_WAITING,
    }


def _board() -> Response:
    return list_response("admin/queues", _table, {}, around=_around)


def _table() -> Table:
    page = Page(overview.overview(), None, None)
    # The forms contain the CSRF token of the session.
    whose = {"session_id": (current_user.id, session.get("began"))}
    # The end of a wrap-up changes the page without a write.
    return Table(page, whose, holds_until_write=False)


def _around() -> Around:
    return Around({"changes": changes_of("queue", MOST_CHANGES)})


def _with_status(response: Response, said: str) -> Response:
    html = Markup('<div hx-swap-oob="innerHTML:#status">{}</div>').format(said)
    response.set_data(response.get_data() + html.encode())
    return response
