"""Says what is wrong with one field while it is typed, as the whole form is checked later."""

from flask import abort, render_template, request
from flask_login import current_user

from callytics.flow_drafts import work_of
from callytics.flow_words import TYPES
from callytics.web import flow_nodes, flow_queues, flows
from callytics.web.flow_forms import Form
from callytics.web.flow_pages import pages
from callytics.web.flow_starts import STARTS, check_start

blueprint = pages("flows_typing")


@blueprint.post("/flows/check")
def check() -> str:
    """The message of one field, empty where it is right."""
    text = _problems().get(request.args.get("field", ""), "")
    return render_template("flows/_problem.html", text=text)


def _problems() -> dict[str, str]:
    document, args, form = work_of(current_user.id).values, request.args, request.form
    kind = args.get("form")
    if kind == "start" and args.get("as") in STARTS:
        values = Form.sent(STARTS[args["as"]].fields, form).read()
        return check_start(args["as"], values, document)
    if kind == "flow":
        values = Form.sent(flows.SETTINGS, form).read()
        return flows.settings_problems(document, args.get("flow", ""), values)
    if kind == "node" and args.get("type") in TYPES:
        return flow_nodes.problems(document, args, form)
    if kind != "queue":
        abort(400, "There is no such form.")
    return flow_queues.problems(document, args.get("queue"), form)
