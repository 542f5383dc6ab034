"""Transfer: rings one destination."""

from typing import Literal

from callytics.flows.fields import PHONE_HINT, RECORD, RING, Field
from callytics.flows.node_types.base import RING_RESULTS, NodeType, recorded_or_not
from callytics.flows.parts import Destination, Name, NodePart, RingSeconds
from callytics.flows.phrases import seconds
from callytics.json_values import JsonMapping
from callytics.telephony.numbers import phone


class Transfer(NodePart):
    """Node that rings one destination."""

    type: Literal["transfer"]
    destination: Destination
    ring_seconds: RingSeconds = 20
    record_call: bool = False
    next: Name | None = None


def _summary(node: JsonMapping) -> str:
    rung, ringing = phone(node["destination"]), seconds(node["ring_seconds"])
    return f"rings {rung}, {ringing}, {recorded_or_not(node)}"


NODE_TYPE = NodeType(
    model=Transfer,
    order=20,
    label="Transfer",
    about="Rings one phone.",
    default_name="desk",
    fields=(
        Field("destination", "Phone", hint=f"One phone, {PHONE_HINT}", phrase="the phone"),
        RING,
        RECORD,
    ),
    next_label="If nobody answers, go on with",
    edge_label="nobody answers",
    icon=(
        '<path d="M4 3h3.5l1.5 4-2 1.5a10 10 0 0 0 4.5 4.5l1.5-2 4 1.5V16a1.5 1.5 0 0 1-1.6'
        ' 1.5A13.5 13.5 0 0 1 2.5 4.6 1.5 1.5 0 0 1 4 3z"/>'
    ),
    live_icon="rings",
    live_words="Rings {node}",
    summary=_summary,
    results=RING_RESULTS,
    rings=True,
    recording="optional",
)
