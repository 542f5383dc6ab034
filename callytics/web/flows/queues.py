"""Queue editor: members and ringing of a queue, in the draft."""

from collections.abc import Callable

from flask import abort, flash, redirect, request, url_for
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from callytics.flows.drafts import edit, work_of
from callytics.flows.edits import rename_queue, users_of
from callytics.flows.queue_fields import QUEUE_FIELDS
from callytics.json_values import JsonObject
from callytics.web.flows.context import page, pages
from callytics.web.flows.forms import Form
from callytics.web.flows.starters import free_name
from callytics.web.flows.validation import check_queue

blueprint = pages("flows_queues")


def problems(document: JsonObject, old: str | None, form: MultiDict[str, str]) -> dict[str, str]:
    """Return the errors of the typed values of a queue; `old` is its current name."""
    values = Form.sent(QUEUE_FIELDS, form).read()
    return check_queue(document, values["name"], _queue_of(values), old)


def _queue_of(values: JsonObject) -> JsonObject:
    return {key: content for key, content in values.items() if key != "name"}


@blueprint.route("/flows/queues/new", methods=["GET", "POST"])
def add() -> Response | str | tuple[str, int]:
    """Show and save the form of a new queue."""
    document = work_of(current_user.id).values
    empty = {"name": free_name("team", document["queues"]), "members": []}
    return _form(document, None, Form.showing(QUEUE_FIELDS, empty))


@blueprint.route("/flows/queues/edit/<name>", methods=["GET", "POST"])
def change(name: str) -> Response | str | tuple[str, int]:
    """Show and save the form of one queue."""
    document = work_of(current_user.id).values
    shown = {**_queue_or_404(document, name), "name": name}
    return _form(document, name, Form.showing(QUEUE_FIELDS, shown))


def _form(document: JsonObject, old: str | None, form: Form) -> Response | str | tuple[str, int]:
    if request.method == "POST":
        form = Form.sent(QUEUE_FIELDS, request.form)
        form.problems = problems(document, old, request.form)
        if not form.problems:
            return _keep(old, form.read())
    filled = page("queue", name=old, form=form)
    return (filled, 422) if form.problems else filled


def _keep(old: str | None, values: JsonObject) -> Response:
    name = values["name"]

    def change(document: JsonObject) -> None:
        document["queues"][old or name] = _queue_of(values)
        if old:
            rename_queue(document, old, name)

    edit(current_user.id, change)
    flash(f"Queue {name} is {'changed' if old else 'added'} in your draft.")
    return redirect(url_for("flows.index", _anchor=f"queue-{name}"), 303)


@blueprint.route("/flows/queues/delete/<name>", methods=["GET", "POST"])
def delete(name: str) -> Response | str | tuple[str, int]:
    """Ask, then delete a queue in the draft; refuse with 409 while a node uses it."""
    document = work_of(current_user.id).values
    _queue_or_404(document, name)
    users = users_of(document, name)
    if request.method == "GET" or users:
        asked = page("queue_delete", name=name, users=users)
        return (asked, 409) if request.method == "POST" else asked
    edit(current_user.id, _without(name))
    flash(f"Queue {name} is deleted in your draft.")
    return redirect(url_for("flows.index"), 303)


def _without(name: str) -> Callable[[JsonObject], None]:
    def change(document: JsonObject) -> None:
        if not users_of(document, name):
            document["queues"].pop(name, None)

    return change


def _queue_or_404(document: JsonObject, name: str) -> JsonObject:
    if name not in document["queues"]:
        abort(404, "There is no such queue. It may have been renamed or deleted.")
    return dict(document["queues"][name])
