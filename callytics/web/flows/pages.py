"""Flow pages: the list, one flow with its diagram, its settings, and its deletion."""

import copy

from flask import flash, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response

from callytics.flows.drafts import edit, work_of
from callytics.flows.edits import chain, rename_flow, unreached
from callytics.flows.fields import NAME, Field
from callytics.flows.warnings import advice
from callytics.json_values import JsonObject
from callytics.web.flows.context import flow_or_404, page, pages, state
from callytics.web.flows.diagram import picture_of
from callytics.web.flows.forms import NUMBERS, Form, choice
from callytics.web.flows.starters import STARTS, build, check_start, free_name
from callytics.web.flows.validation import check_flow

blueprint = pages("flows")

SETTINGS = (NUMBERS, Field("start", "Begins with", "choice"), NAME)


@blueprint.get("/flows")
def index() -> str:
    """Show all flows and queues, with the state of the draft."""
    return page("index")


@blueprint.route("/flows/new", methods=["GET", "POST"])
def new() -> Response | str | tuple[str, int]:
    """Show the starting points; then show and save the form of a new flow."""
    kind = request.args.get("as", "")
    if kind not in STARTS:
        return page("starts", starts=STARTS)
    start, work = STARTS[kind], work_of(current_user.id)
    name = free_name("main", work.values["flows"])
    form = Form.showing(start.fields, {"name": name, "numbers": []})
    if request.method == "POST":
        form = Form.sent(start.fields, request.form)
        values = form.read()
        form.problems = check_start(kind, values, work.values)
        if not form.problems:
            return _begun(kind, values)
    filled = page("new", start=start, kind=kind, form=form)
    return (filled, 422) if form.problems else filled


def _begun(kind: str, values: JsonObject) -> Response:
    def begin(document: JsonObject) -> None:
        flow, queues = build(kind, values, document)
        document["queues"].update(queues)
        document["flows"][values["name"]] = copy.deepcopy(flow)

    edit(current_user.id, begin)
    flash(f"Flow {values['name']} is in your draft. No call comes to it before you publish it.")
    return redirect(url_for("flows.show", name=values["name"]), 303)


# The slash at the end tells a flow named history or new from the pages of these names.
@blueprint.get("/flows/<name>/")
def show(name: str) -> str:
    """Show one flow: its diagram, and its nodes in order."""
    now = state()
    return page("show", state=now, **flow_parts(now.document, name))


def flow_parts(document: JsonObject, name: str) -> JsonObject:
    """Return the template variables of one flow."""
    flow = flow_or_404(document, name)
    return {
        "name": name,
        "flow": flow,
        "order": chain(flow),
        "lost": unreached(flow),
        "picture": picture_of(name, flow) if flow["nodes"] else None,
        "advice": advice(document, name),
    }


@blueprint.route("/flows/<name>/settings", methods=["GET", "POST"])
def settings(name: str) -> Response | str | tuple[str, int]:
    """Show and save the numbers, the start and the name of a flow."""
    document = work_of(current_user.id).values
    flow = flow_or_404(document, name)
    fields = choice(SETTINGS, "start", {node: node for node in flow["nodes"]})
    form = Form.showing(fields, {**flow, "name": name})
    if request.method == "POST":
        form = Form.sent(fields, request.form)
        form.problems = settings_problems(document, name, form.read())
        if not form.problems:
            return _set(name, form.read())
    filled = page("settings", name=name, form=form)
    return (filled, 422) if form.problems else filled


def settings_problems(document: JsonObject, name: str, values: JsonObject) -> dict[str, str]:
    """Return the errors of a flow's typed settings, by field."""
    flow = {**flow_or_404(document, name), **_flow_of(values)}
    return check_flow(document, values["name"], flow, name)


def _flow_of(values: JsonObject) -> JsonObject:
    return {"numbers": values["numbers"], "start": values["start"]}


def _set(name: str, values: JsonObject) -> Response:
    def change(document: JsonObject) -> None:
        flow_or_404(document, name)
        document["flows"][name].update(_flow_of(values))
        rename_flow(document, name, values["name"])

    edit(current_user.id, change)
    flash(f"Flow {values['name']} is changed in your draft.")
    return redirect(url_for("flows.show", name=values["name"]), 303)


@blueprint.route("/flows/<name>/delete", methods=["GET", "POST"])
def delete(name: str) -> Response | str:
    """Ask, then delete a flow in the draft."""
    flow = flow_or_404(work_of(current_user.id).values, name)
    if request.method == "GET":
        return page("delete", name=name, flow=flow)
    edit(current_user.id, lambda document: document["flows"].pop(name, None))
    flash(f"Flow {name} is deleted in your draft. It goes on until you publish the draft.")
    return redirect(url_for("flows.index"), 303)
