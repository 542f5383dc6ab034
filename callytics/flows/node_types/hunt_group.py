"""Hunt group: rings several destinations until one answers."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field as Checked

from callytics.flows.fields import PHONE_HINT, RECORD, RING, Field
from callytics.flows.node_types.base import RING_RESULTS, NodeType, recorded_or_not
from callytics.flows.parts import Destination, Name, NodePart, RingSeconds
from callytics.flows.phrases import seconds
from callytics.json_values import JsonMapping
from callytics.telephony.numbers import phone

STRATEGIES = {
    "simultaneous": "All at once",
    "ordered": "One after the other, from the top",
    "random": "One after the other, in random order",
}


class HuntGroup(NodePart):
    """Node that rings several destinations."""

    type: Literal["hunt_group"]
    destinations: Annotated[list[Destination], Checked(min_length=1, max_length=50)]
    strategy: Literal["simultaneous", "ordered", "random"] = "simultaneous"
    ring_seconds: RingSeconds = 20
    record_call: bool = False
    next: Name | None = None


def _summary(node: JsonMapping) -> str:
    phones = node["destinations"] or [""]
    rung = phone(phones[0]) if len(phones) == 1 else f"{len(phones)} phones"
    return f"rings {rung}, {seconds(node['ring_seconds'])}, {recorded_or_not(node)}"


NODE_TYPE = NodeType(
    model=HuntGroup,
    order=30,
    label="Hunt group",
    about="Rings several phones until one of them answers.",
    default_name="phones",
    fields=(
        Field(
            "destinations",
            "Phones",
            "lines",
            f"One in each line, {PHONE_HINT}",
            phrase="the phones",
        ),
        Field("strategy", "Who is rung", "choice", choices=STRATEGIES, phrase="who is rung"),
        replace(RING, hint="Where they ring one after the other, each of them so long."),
        RECORD,
    ),
    next_label="If nobody answers, go on with",
    edge_label="nobody answers",
    icon=(
        '<circle cx="7.5" cy="7" r="2.8"/><path d="M2 16.5c0-3 2.4-4.7 5.5-4.7s5.5 1.7 5.5 4.7'
        'M12.5 4.4a2.8 2.8 0 0 1 0 5.2M15 12.4c1.8.7 3 2 3 4.1"/>'
    ),
    live_icon="rings",
    live_words="Rings {node}",
    summary=_summary,
    results=RING_RESULTS,
    rings=True,
    recording="optional",
)
