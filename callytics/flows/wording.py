"""Wording of flows: nodes, queues and the values of their fields in words.

All functions take plain values, since the document of an unfinished draft has no valid models.
"""

from collections.abc import Iterator

from callytics.flows.fields import Field
from callytics.flows.node_types import NODE_TYPES
from callytics.flows.phrases import seconds
from callytics.flows.queue_fields import QUEUE_FIELDS
from callytics.json_values import Json, JsonMapping


def _all_fields() -> Iterator[Field]:
    for node_type in NODE_TYPES.values():
        yield from node_type.fields
    yield from QUEUE_FIELDS


# Each field within a sentence, such as "the prompt".
FIELDS = {"type": "what it does"} | {f.name: f.phrase for f in _all_fields() if f.phrase}
_CHOICES: dict[str, dict[str, str]] = {}
for _field in _all_fields():
    _CHOICES.setdefault(_field.name, {}).update(_field.choices)


def rings(node: JsonMapping) -> bool:
    """Return True if this node rings phones, so that a conversation can take place in it."""
    return NODE_TYPES[node["type"]].rings


def is_recorded(node: JsonMapping) -> bool:
    """Return True if this node records anything of a call."""
    return NODE_TYPES[node["type"]].is_recorded(node)


def facts(node: JsonMapping) -> str:
    """Return the summary of a node, such as "rings 3 phones, 20 s, recorded"."""
    return NODE_TYPES[node["type"]].summary(node)


def value(field: str, content: Json) -> str:
    """Return the value of a field of a node or queue in words."""
    if field == "type":
        return NODE_TYPES[content].label
    if field.endswith("_seconds"):
        return seconds(content)
    if choices := _CHOICES.get(field):
        return str(choices.get(content, content)).lower()
    return ", ".join(content) if isinstance(content, list) else str(content)
