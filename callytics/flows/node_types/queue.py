"""Queue: the caller waits with music until a member answers."""

from typing import Annotated, Literal

from pydantic import Field as Checked

from callytics.flows.fields import RECORD, Field
from callytics.flows.node_types.base import RING_RESULTS, NodeType, recorded_or_not
from callytics.flows.parts import Name, NodePart
from callytics.flows.phrases import seconds
from callytics.json_values import JsonMapping


class QueueNode(NodePart):
    """Node that keeps the caller waiting for a member of a queue."""

    type: Literal["queue"]
    queue: Name
    max_wait_seconds: Annotated[int, Checked(ge=1, le=86400)] = 300
    record_call: bool = False
    next: Name | None = None


def _summary(node: JsonMapping) -> str:
    return f"{node['queue']}, up to {seconds(node['max_wait_seconds'])}, {recorded_or_not(node)}"


NODE_TYPE = NodeType(
    model=QueueNode,
    order=40,
    label="Queue",
    about="The caller hears music until somebody of a queue is free and answers.",
    default_name="line",
    fields=(
        Field("queue", "Queue", "choice", phrase="the queue"),
        Field(
            "max_wait_seconds",
            "Wait at most",
            "number",
            default=300,
            unit="seconds",
            phrase="the longest wait",
        ),
        RECORD,
    ),
    next_label="If nobody answered so long, go on with",
    edge_label="wait over",
    icon='<path d="M3 5h14M3 10h14M3 15h8"/><circle class="solid" cx="15.5" cy="15" r="1.6"/>',
    live_icon="waits",
    live_words="Waits in {queue}",
    summary=_summary,
    results={**RING_RESULTS, "wait_over": "The longest wait was over"},
    rings=True,
    recording="optional",
)
