"""Description of a node type, which pages, validation and the worker read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from callytics.flows.fields import Field
from callytics.flows.parts import NodePart
from callytics.json_values import JsonMapping, JsonObject

# Results of a node that rings phones.
RING_RESULTS = {
    "answered": "Answered",
    "busy": "Busy",
    "no_answer": "Nobody answered",
    "refused": "Refused",
    "unreachable": "Could not be reached",
    "hung_up": "Answered, and hung up at once",
}


def recorded_or_not(node: JsonMapping) -> str:
    """Return "recorded" or "not recorded", the end of a ringing node's summary."""
    return "recorded" if node["record_call"] else "not recorded"


@dataclass(frozen=True)
class NodeType:
    """Node type. Its executor is `run` of the module of the same name in worker/nodes."""

    model: type[NodePart]
    # Position on the page that adds a node.
    order: int
    label: str
    # Description in one sentence, on the page that adds a node.
    about: str
    # Suggested name of a new node.
    default_name: str
    fields: tuple[Field, ...]
    # Labels of the field `next`, and of the arrow in the diagram.
    next_label: str
    edge_label: str
    # SVG elements of the icon, in a view box of 20 by 20.
    icon: str
    # Badge of a call in progress in this node: icon, and words with {node} or {queue}.
    live_icon: str
    live_words: str
    # Summary of a node, such as "rings 3 phones, 20 s, recorded".
    summary: Callable[[JsonMapping], str]
    # Words for each result of the executor.
    results: Mapping[str, str] = field(default_factory=dict)
    # True if it rings phones, so that a conversation can take place here.
    rings: bool = False
    # True if calls usually end here, so that there is no warning about a missing next.
    is_final: bool = False
    recording: Literal["never", "optional", "always"] = "never"

    @property
    def name(self) -> str:
        """Name in documents: the literal of the model's field `type`."""
        return str(self.model.model_fields["type"].annotation.__args__[0])  # type: ignore[union-attr]  # a Literal

    @property
    def uses_queue(self) -> bool:
        """True if a node of this type names a queue."""
        return "queue" in self.model.model_fields

    def draft(self, **values: object) -> JsonObject:
        """Return a node as a document has it, defaults filled in; `values` are not checked."""
        return self.model.draft(type=self.name, **values)

    def is_recorded(self, node: JsonMapping) -> bool:
        """Return True if this node records anything of a call."""
        return self.recording == "always" or bool(node.get("record_call"))
