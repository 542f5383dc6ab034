"""Description of a node type: everything that pages, checks and the worker know of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from callytics.flows.fields import Field
from callytics.flows.parts import NodePart

Values = Mapping[str, Any]

# Results of a node that rings phones.
RING_RESULTS = {
    "answered": "Answered",
    "busy": "Busy",
    "no_answer": "Nobody answered",
    "refused": "Refused",
    "unreachable": "Could not be reached",
    "hung_up": "Answered, and hung up at once",
}


@dataclass(frozen=True)
class NodeType:
    """A node type. Its executor is `run` of the worker's module of the same name."""

    model: type[NodePart]
    # Its position among the others on the page that adds a node.
    order: int
    label: str
    # One sentence for somebody who sees it for the first time.
    about: str
    # The name of a first node of this type.
    default_name: str
    fields: tuple[Field, ...]
    # The label of the field that says where a call goes next, and of the arrow in the diagram.
    next_label: str
    edge_label: str
    # The elements of its icon, an SVG of 20 by 20.
    icon: str
    # A call in progress here: the icon of the badge, and words with {node} or {queue}.
    live_icon: str
    live_words: str
    # A node in a few words, such as "rings 3 phones, 20 s, recorded".
    summary: Callable[[Values], str]
    # Each result that the executor returns, in words.
    results: Mapping[str, str] = field(default_factory=dict)
    # A conversation can take place here.
    rings: bool = False
    # The call is meant to end here, so that no warning asks for a next node.
    is_final: bool = False
    recording: Literal["never", "optional", "always"] = "never"

    @property
    def name(self) -> str:
        """Its name in documents, from the model's literal."""
        return str(self.model.model_fields["type"].annotation.__args__[0])  # type: ignore[union-attr]  # a Literal

    def is_recorded(self, node: Values) -> bool:
        """Return True if anything of a call in this node is recorded."""
        return self.recording == "always" or bool(node.get("record_call"))
