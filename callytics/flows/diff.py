"""Difference of two flow documents, in words.

Both are plain values as `Document.model_dump()` gives them; a draft may be unfinished.
"""

from collections.abc import Iterator, Mapping

from callytics.flows.node_types import NODE_TYPES
from callytics.flows.phrases import count, listed
from callytics.flows.wording import FIELDS, value
from callytics.json_values import JsonMapping

KINDS = ("flows", "queues")


def changes(before: JsonMapping, after: JsonMapping) -> list[str]:
    """Return a sentence for each change; none if the two are equal."""
    return [*_parts("Flow", before, after), *_parts("Queue", before, after)]


def change_summary(before: JsonMapping, after: JsonMapping) -> str:
    """Return the changes as one text, a line each, for the history of versions."""
    return "\n".join(changes(before, after)) or "Nothing changed."


def _parts(kind: str, before: JsonMapping, after: JsonMapping) -> Iterator[str]:
    key, describe = ("flows", _in_flow) if kind == "Flow" else ("queues", _in_queue)
    old, new = before.get(key, {}), after.get(key, {})
    renamed = _renamed(old, new)
    for name, part in old.items():
        if name in renamed:
            yield f"{kind} {name} is now called {renamed[name]}."
        elif name not in new:
            yield f"{kind} {name} is gone."
        else:
            yield from (f"{kind} {name}: {change}" for change in describe(part, new[name]))
    for name, part in new.items():
        if name not in old and name not in renamed.values():
            yield f"{kind} {name} is new: {_summary(kind, part)}."


def _summary(kind: str, part: JsonMapping) -> str:
    if kind == "Queue":
        return count(len(part["members"]), "member")
    numbers = count(len(part["numbers"]), "number") if part["numbers"] else "no number"
    return f"{numbers}, {count(len(part['nodes']), 'node')}"


def _renamed(old: JsonMapping, new: JsonMapping) -> dict[str, str]:
    """Return the new name of each renamed part by its old name; its content is unchanged."""
    gone = [name for name in old if name not in new]
    come = [name for name in new if name not in old]
    found: dict[str, str] = {}
    for name in gone:
        same = (n for n in come if new[n] == old[name] and n not in found.values())
        if (match := next(same, None)) is not None:
            found[name] = match
    return found


def _in_flow(before: JsonMapping, after: JsonMapping) -> Iterator[str]:
    if before["numbers"] != after["numbers"]:
        now, was = (", ".join(flow["numbers"]) or "none" for flow in (after, before))
        yield f"its numbers are {now} (before: {was})."
    renamed = _renamed_nodes(before["nodes"], after["nodes"])
    for name, new in renamed.items():
        yield f"node {name} is now called {new}."
    if renamed.get(before["start"], before["start"]) != after["start"]:
        now, was = (flow["start"] or "nothing" for flow in (after, before))
        yield f"it starts with {now} (before: {was})."
    old = {
        renamed.get(name, name): _leading(node, renamed) for name, node in before["nodes"].items()
    }
    for name, node in old.items():
        if name not in after["nodes"]:
            yield f"node {name} is gone."
        else:
            yield from (f"node {name}: {text}" for text in _in_node(node, after["nodes"][name]))
    for name, node in after["nodes"].items():
        if name not in old:
            yield f"node {name} is new: {NODE_TYPES[node['type']].label.lower()}{_then(node)}."


def _renamed_nodes(before: JsonMapping, after: JsonMapping) -> dict[str, str]:
    """Return the new name of each renamed node by its old name.

    Its fields are unchanged, or at least its type and its next are.
    """
    # The next may have been renamed too, so the first comparison leaves it out.
    alone = [{n: {**node, "next": None} for n, node in nodes.items()} for nodes in (before, after)]
    found = _renamed(*alone)
    rest = [
        {n: (node["type"], node.get("next")) for n, node in nodes.items() if n not in known}
        for nodes, known in ((before, found), (after, found.values()))
    ]
    return found | _renamed(*rest)


def _leading(node: JsonMapping, renamed: Mapping[str, str]) -> JsonMapping:
    leads = node.get("next")
    return {**node, "next": renamed.get(leads, leads) if leads else None}


def _then(node: JsonMapping) -> str:
    return f", then {node['next']}" if node.get("next") else ", then the call is hung up"


def _in_node(before: JsonMapping, after: JsonMapping) -> Iterator[str]:
    if before["type"] != after["type"]:
        now, was = (NODE_TYPES[node["type"]].label.lower() for node in (after, before))
        yield f"its type is {now} (before: {was})."
    yield from _in_fields(before, after, ("type", "next", "record_call"))
    if before.get("record_call", False) != after.get("record_call", False):
        yield f"its conversations are {'' if after.get('record_call') else 'not '}recorded now."
    if before.get("next") != after.get("next"):
        now, was = (node.get("next") or "the call is hung up" for node in (after, before))
        yield f"then {now} (before: {was})."


def _in_queue(before: JsonMapping, after: JsonMapping) -> Iterator[str]:
    old, new = before["members"], after["members"]
    come, gone = ([m for m in a if m not in b] for a, b in ((new, old), (old, new)))
    if come:
        yield f"{listed(come)} joined."
    if gone:
        yield f"{listed(gone)} left."
    if old != new and not come and not gone:
        yield "the order of its members is another."
    yield from _in_fields(before, after, ("members",))


def _in_fields(before: JsonMapping, after: JsonMapping, without: tuple[str, ...]) -> Iterator[str]:
    for field in {**before, **after}:
        if field in without or before.get(field) == after.get(field):
            continue
        # A field of only one of the two types cannot be compared.
        if field in before and field in after:
            now, was = value(field, after[field]), value(field, before[field])
            yield f"{FIELDS.get(field, field)}: {now} (before: {was})."
