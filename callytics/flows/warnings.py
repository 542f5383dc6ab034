"""Warnings of a flow: valid settings that are perhaps not meant."""

from callytics.flows.edits import chain, unreached
from callytics.flows.node_types import NODE_TYPES
from callytics.flows.phrases import listed
from callytics.flows.wording import is_recorded, rings
from callytics.json_values import JsonMapping


def advice(document: JsonMapping, name: str) -> list[str]:
    """Return the warnings of a flow, a sentence each."""
    flow = document["flows"][name]
    order = chain(flow)
    said = []
    if not flow["numbers"]:
        said.append("It has no number, so no call comes to it.")
    if order:
        said += [*_recording(flow, order), *_end(flow, order), *_queues(document, order, flow)]
    if lost := unreached(flow):
        they = "No call comes to" if len(lost) == 1 else "No calls come to"
        said.append(f"{they} {listed(lost)}: nothing leads there from the start.")
    return said


def recording_of(flow: JsonMapping) -> str:
    """Return the recorded part of a flow's calls, such as "Messages only"."""
    nodes = [flow["nodes"][name] for name in chain(flow)]
    ringing = [node for node in nodes if rings(node)]
    kept = sum(map(is_recorded, ringing))
    if kept:
        return "Conversations" if kept == len(ringing) else "Some conversations"
    return "Messages only" if any(map(is_recorded, nodes)) else "Nothing"


def _recording(flow: JsonMapping, order: list[str]) -> list[str]:
    nodes = [flow["nodes"][name] for name in order]
    if not any(map(is_recorded, nodes)):
        return ["Nothing of its calls is recorded."]
    silent = [n for n in order if rings(flow["nodes"][n]) and not is_recorded(flow["nodes"][n])]
    if silent:
        return [f"Conversations at {listed(silent)} are not recorded."]
    return []


def _end(flow: JsonMapping, order: list[str]) -> list[str]:
    last = order[-1]
    node = flow["nodes"][last]
    if node.get("next") in order:
        back = node["next"]
        return [
            f"From {last} the call goes back to {back}, again and again until somebody answers."
        ]
    if NODE_TYPES[node["type"]].is_final:
        return []
    when = "Where nobody answers at" if rings(node) else "After"
    return [f"{when} {last}, the call is hung up: nothing comes next."]


def _queues(document: JsonMapping, order: list[str], flow: JsonMapping) -> list[str]:
    used = [flow["nodes"][n]["queue"] for n in order if "queue" in flow["nodes"][n]]
    queues = document.get("queues", {})
    empty = [name for name in dict.fromkeys(used) if name in queues and not queues[name]["members"]]
    return [f"Queue {name} has no members, so nobody answers there." for name in empty]
