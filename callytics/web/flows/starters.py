"""Starting points of a new flow: short forms that ask for little more than number and phones."""

from dataclasses import dataclass, replace

from callytics.flows.edits import wrong_in
from callytics.flows.fields import NAME, RECORD, Field
from callytics.flows.node_types import NODE_TYPES
from callytics.flows.parts import Queue
from callytics.json_values import JsonMapping, JsonObject
from callytics.web.flows.forms import NUMBERS, problems_at
from callytics.web.flows.validation import check_flow, check_queue

_PROMPT = NODE_TYPES["play_audio"].fields[0]
_PHONES = replace(NODE_TYPES["hunt_group"].fields[0], label="Phones to ring")
_MEMBERS = replace(_PHONES, name="members", label="Phones of those who take the calls")
_GREETING = replace(
    NODE_TYPES["play_audio"].fields[0], label="Greeting", default="sound:hello-world"
)
_RECORD = replace(RECORD, default=True)


@dataclass(frozen=True)
class Start:
    """Starting point: its title, a sentence about it, and its fields."""

    title: str
    about: str
    fields: tuple[Field, ...]


STARTS = {
    "greeting": Start(
        "Greeting, ring phones, else voicemail",
        "Plays a greeting, rings your phones at once, and takes a message when nobody answers.",
        (NUMBERS, _PHONES, _GREETING, _RECORD, NAME),
    ),
    "queue": Start(
        "Queue with music, else voicemail",
        "Callers hear music until somebody is free, and leave a message when it takes too long.",
        (NUMBERS, _MEMBERS, _RECORD, NAME),
    ),
    "phone": Start(
        "Ring one phone",
        "Rings a phone, and hangs up when nobody answers.",
        (NUMBERS, replace(NODE_TYPES["transfer"].fields[0], label="Phone to ring"), _RECORD, NAME),
    ),
    "empty": Start("Empty", "You add each node yourself.", (NUMBERS, NAME)),
}


def free_name(wanted: str, taken: JsonMapping) -> str:
    """Return `wanted`, with a number appended if that is taken."""
    names = (wanted, *(f"{wanted}-{n}" for n in range(2, len(taken) + 3)))
    return next(name for name in names if name not in taken)


def build(kind: str, values: JsonObject, document: JsonObject) -> tuple[JsonObject, JsonObject]:
    """Return the flow of a starting point for typed values, and the queues that it needs."""
    nodes: JsonObject = {}
    queues: JsonObject = {}
    record = values.get("record_call", False)
    if kind == "greeting":
        nodes["greeting"] = _node("play_audio", media=values["media"], next="phones")
        nodes["phones"] = _node(
            "hunt_group", destinations=values["destinations"], record_call=record, next="message"
        )
    elif kind == "queue":
        name = free_name(values["name"], document["queues"])
        queues[name] = Queue.draft(members=values["members"])
        nodes["line"] = _node("queue", queue=name, record_call=record, next="message")
    elif kind == "phone":
        nodes["desk"] = _node("transfer", destination=values["destination"], record_call=record)
    if kind in ("greeting", "queue"):
        nodes["message"] = _node("voicemail")
    start = next(iter(nodes), "")
    return {"numbers": values["numbers"], "start": start, "nodes": nodes}, queues


def _node(node_type: str, **values: object) -> JsonObject:
    return NODE_TYPES[node_type].draft(**values)


def check_start(kind: str, values: JsonObject, document: JsonObject) -> dict[str, str]:
    """Return the errors of typed values, by field."""
    flow, queues = build(kind, values, document)
    name = values["name"]
    found = check_flow({**document, "queues": {**document["queues"], **queues}}, name, flow)
    wrong = wrong_in({"queues": queues, "flows": {name: flow}})
    for node_name, node in flow["nodes"].items():
        place = ("flows", name, "nodes", node_name)
        found = {**problems_at(wrong, place, node, whole=""), **found}
    for queue_name, queue in queues.items():
        found = {**check_queue({"queues": {}}, queue_name, queue), **found}
        # A queue without members is valid, but not useful as a start.
        if not queue["members"]:
            found.setdefault("members", "must not be empty")
    asked = {field.name for field in STARTS[kind].fields}
    return {key: text for key, text in found.items() if key in asked}
