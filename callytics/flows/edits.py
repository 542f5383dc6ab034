"""Edits of a flow: insert, move, remove and rename nodes.

Each edit changes the plain values of a draft in place. A node has at most one next, so the nodes
that can be reached from the start form one chain; its end hangs up or leads back into it.
"""

from itertools import pairwise

from callytics.flows.document import check
from callytics.flows.errors import DocumentError, Wrong
from callytics.json_values import JsonMapping, JsonObject


def chain(flow: JsonMapping) -> list[str]:
    """Return the nodes that a call can reach, in order."""
    found: list[str] = []
    name = flow["start"]
    while name in flow["nodes"] and name not in found:
        found.append(name)
        name = flow["nodes"][name].get("next")
    return found


def unreached(flow: JsonObject) -> list[str]:
    """Return the nodes that no call reaches, each before its next if possible."""
    seen, found = set(chain(flow)), list[str]()
    lost = [name for name in flow["nodes"] if name not in seen]
    heads = [name for name in lost if not any(n in lost for n in leading_to(flow, name))]
    # A ring of unreached nodes has no head.
    for name in (*heads, *lost):
        at: str | None = name
        while at is not None and at in flow["nodes"] and at not in seen:
            seen.add(at)
            found.append(at)
            at = flow["nodes"][at].get("next")
    return found


def insert(flow: JsonObject, name: str, node: JsonObject, after: str | None) -> None:
    """Insert a node behind another, or at the beginning if `after` is None."""
    if after is None:
        flow["nodes"][name] = {**node, "next": flow["start"] or None}
        flow["start"] = name
    else:
        before = flow["nodes"][after]
        flow["nodes"][name] = {**node, "next": before.get("next")}
        before["next"] = name


def leading_to(flow: JsonObject, name: str) -> list[str]:
    """Return the other nodes whose next is this one."""
    return [n for n, node in flow["nodes"].items() if node.get("next") == name and n != name]


def remove(flow: JsonObject, name: str) -> None:
    """Remove a node; nodes that led to it lead to its next."""
    then = flow["nodes"].pop(name).get("next")
    then = None if then == name else then
    for other in leading_to(flow, name):
        flow["nodes"][other]["next"] = then
    if flow["start"] == name:
        flow["start"] = then or next(iter(flow["nodes"]), "")


def move(flow: JsonObject, name: str, by: int) -> bool:
    """Swap a node with its neighbor, -1 earlier or 1 later; return False if there is none."""
    order = chain(flow)
    if name not in order or not 0 <= order.index(name) + by < len(order):
        return False
    back_to = flow["nodes"][order[-1]].get("next")
    # The end leads back to the same position, even if another node is there now.
    back_at = order.index(back_to) if back_to in order else None
    at = order.index(name)
    order[at], order[at + by] = order[at + by], order[at]
    for here, then in pairwise(order):
        flow["nodes"][here]["next"] = then
    flow["nodes"][order[-1]]["next"] = None if back_at is None else order[back_at]
    flow["start"] = order[0]
    return True


def rename_node(flow: JsonObject, old: str, new: str) -> None:
    """Rename a node, and the links to it."""
    flow["nodes"] = _renamed(flow["nodes"], old, new)
    for node in flow["nodes"].values():
        if node.get("next") == old:
            node["next"] = new
    if flow["start"] == old:
        flow["start"] = new


def rename_flow(document: JsonObject, old: str, new: str) -> None:
    """Rename a flow."""
    document["flows"] = _renamed(document["flows"], old, new)


def rename_queue(document: JsonObject, old: str, new: str) -> None:
    """Rename a queue, and its uses in nodes."""
    document["queues"] = _renamed(document["queues"], old, new)
    for flow in document["flows"].values():
        for node in flow["nodes"].values():
            if node.get("queue") == old:
                node["queue"] = new


def users_of(document: JsonObject, queue: str) -> list[tuple[str, str]]:
    """Return the names of flow and node for each node that uses this queue."""
    return [
        (flow_name, node_name)
        for flow_name, flow in document["flows"].items()
        for node_name, node in flow["nodes"].items()
        if node.get("queue") == queue
    ]


def wrong_in(document: JsonObject) -> list[Wrong]:
    """Return the errors that keep a draft from being published."""
    try:
        check(document)
    except DocumentError as error:
        return error.wrong
    return []


def _renamed(parts: JsonObject, old: str, new: str) -> JsonObject:
    """Return the parts in the same order, with one renamed."""
    return {new if name == old else name: part for name, part in parts.items()}
