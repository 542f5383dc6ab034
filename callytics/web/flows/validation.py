"""Validation of one typed node, queue or flow, with errors by field.

Each is put into an otherwise valid document, which is checked like an import. So errors in the
rest of an unfinished draft are not reported here.
"""

from callytics.flows.edits import wrong_in
from callytics.json_values import JsonObject
from callytics.web.flows.forms import problems_at

# Stands for the nodes of a flow whose nodes are not checked.
STUB = {"stub": {"type": "play_audio", "media": "sound:beep", "next": None}}


def check_node(
    document: JsonObject, flow_name: str, name: str, node: JsonObject, old: str | None = None
) -> dict[str, str]:
    """Return the errors of a node of this name; `old` is its previous name."""
    others = {n: v for n, v in document["flows"][flow_name]["nodes"].items() if n != old}
    if name in others:
        return {"name": f"there is a node {name!r} already"}
    if node.get("next") == old and old is not None:
        node = {**node, "next": name}
    flow = {"numbers": [], "start": name, "nodes": {**others, name: node}}
    wrong = wrong_in({"queues": document["queues"], "flows": {flow_name: flow}})
    place = ("flows", flow_name, "nodes")
    found = problems_at(wrong, (*place, name), node)
    if not found and (too_many := next((w.text for w in wrong if w.place == place), "")):
        return {"name": f"the nodes of a flow {too_many}"}
    return found


def check_queue(
    document: JsonObject, name: str, queue: JsonObject, old: str | None = None
) -> dict[str, str]:
    """Return the errors of a queue of this name."""
    if name != old and name in document["queues"]:
        return {"name": f"there is a queue {name!r} already"}
    return problems_at(wrong_in({"queues": {name: queue}}), ("queues", name), queue)


def check_flow(
    document: JsonObject, name: str, flow: JsonObject, old: str | None = None
) -> dict[str, str]:
    """Return the errors of name, numbers and start of a flow."""
    others = {n: f for n, f in document["flows"].items() if n != old}
    if name in others:
        return {"name": f"there is a flow {name!r} already"}
    stubs = {
        n: {"numbers": f["numbers"], "start": "stub", "nodes": STUB} for n, f in others.items()
    }
    if not flow["nodes"]:
        flow = {**flow, "start": "stub", "nodes": STUB}
    # The checked flow goes last, so that a number of two flows is an error of this one.
    wrong = wrong_in({"queues": document["queues"], "flows": {**stubs, name: flow}})
    found = problems_at(wrong, ("flows", name), flow)
    return {name: text for name, text in found.items() if name in ("name", "numbers", "start")}
