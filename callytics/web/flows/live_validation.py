"""Validation while typing: the check of the whole form, for one field."""

from flask import abort, render_template, request
from flask_login import current_user

from callytics.flows.drafts import work_of
from callytics.flows.node_types import NODE_TYPES
from callytics.web.flows import nodes, queues
from callytics.web.flows.context import pages
from callytics.web.flows.forms import Form
from callytics.web.flows.pages import SETTINGS, settings_problems
from callytics.web.flows.starters import STARTS, check_start

blueprint = pages("flows_typing")


@blueprint.post("/flows/check")
def check() -> str:
    """Return the message of one field, empty if it is valid."""
    text = _problems().get(request.args.get("field", ""), "")
    return render_template("flows/_problem.html", text=text)


def _problems() -> dict[str, str]:
    document, args, form = work_of(current_user.id).values, request.args, request.form
    kind = args.get("form")
    if kind == "start" and args.get("as") in STARTS:
        values = Form.sent(STARTS[args["as"]].fields, form).read()
        return check_start(args["as"], values, document)
    if kind == "flow":
        values = Form.sent(SETTINGS, form).read()
        return settings_problems(document, args.get("flow", ""), values)
    if kind == "node" and args.get("type") in NODE_TYPES:
        return nodes.problems(document, args, form)
    if kind != "queue":
        abort(400, "There is no such form.")
    return queues.problems(document, args.get("queue"), form)
