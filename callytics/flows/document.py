"""Flow document: its models, and the validation of a document from outside."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Union

from pydantic import Field, ValidationError

from callytics.flows.errors import DocumentError, Wrong, from_pydantic
from callytics.flows.node_types import NODE_TYPES
from callytics.flows.parts import Name, NodePart, Number, Part, Queue
from callytics.json_values import Json, JsonObject

if TYPE_CHECKING:
    Node = NodePart
else:
    _models = tuple(node_type.model for node_type in NODE_TYPES.values())
    Node = Annotated[Union[_models], Field(discriminator="type")]  # noqa: UP007 - made of a tuple

# Bounds of what a page shows and a check reads at once, far above any installation.
MOST_NUMBERS, MOST_FLOWS, MOST_QUEUES, MOST_MEMBERS = 5000, 1000, 1000, 5000


class Flow(Part):
    """Flow: numbers, and the nodes that a call to one of them goes through."""

    numbers: Annotated[list[Number], Field(max_length=MOST_NUMBERS)]
    start: Name
    nodes: Annotated[dict[Name, Node], Field(min_length=1, max_length=200)]


class Document(Part):
    """Document: all flows and queues."""

    queues: dict[Name, Queue] = Field(default_factory=dict, max_length=MOST_QUEUES)
    flows: dict[Name, Flow] = Field(default_factory=dict, max_length=MOST_FLOWS)

    def flow_for(self, number: str) -> tuple[str, Flow] | None:
        """Return the flow that has this number, with its name."""
        return next(((n, f) for n, f in self.flows.items() if number in f.numbers), None)

    def only(self, name: str) -> "Document":
        """Return this document with one flow and the queues it uses. Raises KeyError."""
        flow = self.flows[name]
        used = {queue_of(node) for node in flow.nodes.values()}
        queues = {key: queue for key, queue in self.queues.items() if key in used}
        return Document(queues=queues, flows={name: flow})


def queue_of(node: NodePart) -> str | None:
    """Return the queue that a node of any type uses, or None."""
    queue: str | None = getattr(node, "queue", None)
    return queue


def parse(text: str | bytes) -> Document:
    """Validate a JSON document. Raises DocumentError with all errors."""
    try:
        values = json.loads(text, object_pairs_hook=_no_key_twice)
    except (ValueError, RecursionError) as error:
        raise DocumentError([Wrong((), f"must be JSON ({error})")]) from error
    return check(values)


def check(values: Json) -> Document:
    """Validate a decoded document. Raises DocumentError with all errors."""
    try:
        document = Document.model_validate(values)
    except ValidationError as error:
        # Without the input, which an error at the top would hold as a whole.
        wrong = error.errors(include_url=False, include_input=False)
        raise DocumentError([from_pydantic(e) for e in wrong]) from error
    errors = [*_broken_links(document), *_numbers_twice(document), *_too_many_members(document)]
    if errors:
        raise DocumentError(errors)
    return document


def _no_key_twice(pairs: list[tuple[str, Json]]) -> JsonObject:
    """Return a JSON object. Raises ValueError for a repeated key: `json` keeps only the last."""
    values: JsonObject = {}
    for key, value in pairs:
        if key in values:
            raise ValueError(f"the name {key!r} stands twice")
        values[key] = value
    return values


def _broken_links(document: Document) -> Iterator[Wrong]:
    for flow_name, flow in document.flows.items():
        place = ("flows", flow_name)
        if flow.start not in flow.nodes:
            yield Wrong((*place, "start"), f"there is no node {flow.start!r}")
        for node_name, node in flow.nodes.items():
            at = (*place, "nodes", node_name)
            if node.next is not None and node.next not in flow.nodes:
                yield Wrong((*at, "next"), f"there is no node {node.next!r}")
            if (queue := queue_of(node)) is not None and queue not in document.queues:
                yield Wrong((*at, "queue"), f"there is no queue {queue!r}")


def _numbers_twice(document: Document) -> Iterator[Wrong]:
    first: dict[str, tuple[str, int]] = {}
    for name, flow in document.flows.items():
        for at, number in enumerate(flow.numbers):
            owner, _ = seen = first.setdefault(number, (name, at))
            if seen != (name, at):
                place = ("flows", name, "numbers", str(at))
                yield Wrong(place, f"{number} belongs to flow {owner!r}")


def _too_many_members(document: Document) -> Iterator[Wrong]:
    # A page shows each of them.
    if sum(len(queue.members) for queue in document.queues.values()) > MOST_MEMBERS:
        yield Wrong(("queues",), f"must have at most {MOST_MEMBERS} members in all")
