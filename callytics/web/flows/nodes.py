"""Node pages: add, change, move and remove a node, each in the draft."""

from collections.abc import Mapping

from flask import abort, flash, redirect, request, url_for
from flask_login import current_user
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from callytics.flows.drafts import edit, work_of
from callytics.flows.edits import chain, insert, leading_to, move, remove, rename_node
from callytics.flows.fields import NAME, Field
from callytics.flows.node_types import NODE_TYPES
from callytics.flows.phrases import listed
from callytics.json_values import JsonObject
from callytics.web.flows.context import flow_or_404, page, pages, state
from callytics.web.flows.forms import Form, choice
from callytics.web.flows.pages import flow_parts
from callytics.web.flows.starters import free_name
from callytics.web.flows.validation import check_node
from callytics.web.http.list_pages import is_htmx

blueprint = pages("flows_nodes")


def fields_of(kind: str, document: JsonObject, flow: JsonObject, adding: bool) -> tuple[Field, ...]:
    """Return the fields of a node of this type."""
    queues = {name: name for name in document["queues"]} or {"": "There is no queue yet"}
    if adding:
        places = {"": "the beginning"} | {f"{name}": f"after {name}" for name in flow["nodes"]}
        last = Field("after", "Where", "choice", choices=places)
    else:
        others = {"": "nothing: hang up"} | {name: name for name in flow["nodes"]}
        last = Field("next", NODE_TYPES[kind].next_label, "choice", choices=others)
    return (*choice(NODE_TYPES[kind].fields, "queue", queues), last, NAME)


def node_of(kind: str, values: JsonObject) -> JsonObject:
    """Return a node of a document from the fields of its form."""
    node = {"type": kind, **{f.name: values[f.name] for f in NODE_TYPES[kind].fields}}
    return {**node, "next": values.get("next") or None}


def problems(
    document: JsonObject, args: Mapping[str, str], form: MultiDict[str, str]
) -> dict[str, str]:
    """Return the errors of the typed values of a node; `args` name flow, type and node."""
    flow_name, kind, old = args.get("flow", ""), args["type"], args.get("node")
    flow = flow_or_404(document, flow_name)
    values = Form.sent(fields_of(kind, document, flow, old is None), form).read()
    return _problems(document, flow_name, kind, values, old)


def _problems(
    document: JsonObject, flow_name: str, kind: str, values: JsonObject, old: str | None
) -> dict[str, str]:
    node = node_of(kind, values)
    found = check_node(document, flow_name, values["name"], node, old)
    nodes = document["flows"][flow_name]["nodes"]
    if values.get("after") and values["after"] not in nodes:
        found.setdefault("after", f"there is no node {values['after']!r}")
    return found


@blueprint.route("/flows/<flow_name>/add", methods=["GET", "POST"])
def add(flow_name: str) -> Response | str | tuple[str, int]:
    """Show the node types; then show and save the form of a new node."""
    document = work_of(current_user.id).values
    flow = flow_or_404(document, flow_name)
    kind = request.args.get("type", "")
    if kind not in NODE_TYPES:
        return page("types", name=flow_name, after=request.args.get("after"))
    order = chain(flow)
    fields = fields_of(kind, document, flow, adding=True)
    after = request.args.get("after", order[-1] if order else "")
    form = Form.showing(
        fields, {"name": free_name(NODE_TYPES[kind].default_name, flow["nodes"]), "after": after}
    )
    if request.method == "POST":
        form = Form.sent(fields, request.form)
        form.problems = _problems(document, flow_name, kind, form.read(), None)
        if not form.problems:
            return _add(flow_name, kind, form.read())
    filled = page("node", name=flow_name, kind=kind, form=form, node=None)
    return (filled, 422) if form.problems else filled


def _add(flow_name: str, kind: str, values: JsonObject) -> Response:
    def change(document: JsonObject) -> None:
        flow = flow_or_404(document, flow_name)
        after = values["after"] if values["after"] in flow["nodes"] else None
        insert(document["flows"][flow_name], values["name"], node_of(kind, values), after)

    edit(current_user.id, change)
    flash(f"Node {values['name']} is added in your draft.")
    return _to(flow_name, values["name"])


@blueprint.route("/flows/<flow_name>/nodes/<name>", methods=["GET", "POST"])
def change(flow_name: str, name: str) -> Response | str | tuple[str, int]:
    """Show and save the form of one node."""
    document = work_of(current_user.id).values
    flow = flow_or_404(document, flow_name)
    node = _node_or_404(flow, name)
    fields = fields_of(node["type"], document, flow, adding=False)
    form = Form.showing(fields, {**node, "name": name})
    if request.method == "POST":
        form = Form.sent(fields, request.form)
        form.problems = _problems(document, flow_name, node["type"], form.read(), name)
        if not form.problems:
            return _change(flow_name, name, node["type"], form.read())
    filled = page("node", name=flow_name, kind=node["type"], form=form, node=name)
    return (filled, 422) if form.problems else filled


def _change(flow_name: str, name: str, kind: str, values: JsonObject) -> Response:
    def change(document: JsonObject) -> None:
        flow = document["flows"][flow_name] = flow_or_404(document, flow_name)
        _node_or_404(flow, name)
        flow["nodes"][name] = node_of(kind, values)
        rename_node(flow, name, values["name"])

    edit(current_user.id, change)
    flash(f"Node {values['name']} is changed in your draft.")
    return _to(flow_name, values["name"])


@blueprint.post("/flows/<flow_name>/nodes/<name>/move")
def shift(flow_name: str, name: str) -> Response | str:
    """Move a node earlier or later in the chain."""
    earlier = request.form.get("to") == "earlier"
    moved = []

    def change(document: JsonObject) -> None:
        _node_or_404(flow_or_404(document, flow_name), name)
        moved.append(move(document["flows"][flow_name], name, -1 if earlier else 1))

    edit(current_user.id, change)
    where = "earlier" if earlier else "later"
    said = f"Node {name} comes {where} now." if moved[-1] else f"Node {name} cannot come {where}."
    if is_htmx():
        now = state()
        return page("_flow_updated", state=now, said=said, **flow_parts(now.document, flow_name))
    flash(said)
    return _to(flow_name, name)


@blueprint.route("/flows/<flow_name>/nodes/<name>/remove", methods=["GET", "POST"])
def take_out(flow_name: str, name: str) -> Response | str:
    """Ask, with the effect on the nodes around it; then remove a node."""
    flow = flow_or_404(work_of(current_user.id).values, flow_name)
    node = _node_or_404(flow, name)
    if request.method == "GET":
        return page("remove", name=flow_name, node=name, rewired=_rewired(flow, name, node, "will"))

    def change(document: JsonObject) -> None:
        if name in flow_or_404(document, flow_name)["nodes"]:
            remove(document["flows"][flow_name], name)

    edit(current_user.id, change)
    flash(f"Node {name} is removed in your draft. {_rewired(flow, name, node)}".strip())
    return _to(flow_name)


def _rewired(flow: JsonObject, name: str, node: JsonObject, will: str = "") -> str:
    """Return the effect of a removal on the nodes around it, in words."""
    then = node.get("next") if node.get("next") != name else None
    others = leading_to(flow, name)
    said = []
    if others:
        leads = "will lead" if will else "leads" if len(others) == 1 else "lead"
        where, now = then or "the hang-up", "" if will else " now"
        said.append(f"What led to it, {listed(others)}, {leads} to {where}{now}.")
    if flow["start"] == name and len(flow["nodes"]) > 1:
        first = then or next(n for n in flow["nodes"] if n != name)
        said.append(f"The flow {'will begin' if will else 'begins'} with {first}.")
    return " ".join(said)


def _node_or_404(flow: JsonObject, name: str) -> JsonObject:
    if name not in flow["nodes"]:
        abort(404, "There is no such node. It may have been renamed or removed.")
    return dict(flow["nodes"][name])


def _to(flow_name: str, node: str | None = None) -> Response:
    anchor = f"node-{node}" if node else None
    return redirect(url_for("flows.show", name=flow_name, _anchor=anchor), 303)
