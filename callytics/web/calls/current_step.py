"""Where a call in progress is, in words: "Rings desk", "Waits in support", "Talks with alice"."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from callytics.telephony.numbers import phone

# What a caller does in a node of each type, as an icon and in words.
_DOES = {
    "play_audio": ("hears", "Hears {node}"),
    "transfer": ("rings", "Rings {node}"),
    "hunt_group": ("rings", "Rings {node}"),
    "queue": ("waits", "Waits in {queue}"),
    "voicemail": ("message", "Leaves a message"),
    "outbound": ("rings", "Calls {number}"),
}


@dataclass(frozen=True)
class Whereabouts:
    """What the caller does now and since when; the node is empty between two of them."""

    icon: str
    words: str
    since: datetime
    node: str = ""
    node_type: str = ""


def whereabouts(call: Any, queue: str | None) -> Whereabouts:
    """Where the call of a row is; `queue` is the one that its caller waits in, where known."""
    step = call.path[-1] if call.path else None
    if step is None or step["ended_at"] is not None:
        # Between two nodes is where a call is for an instant, unless its worker has died.
        return Whereabouts("rings", "Goes on" if step else "Begins", call.started_at)
    node, node_type = step["node"], step["type"]
    if call.answered_at:
        who = phone(call.callee) or "somebody"
        return Whereabouts("talks", f"Talks with {who}", call.answered_at, node, node_type)
    icon, words = _DOES.get(node_type, ("rings", "Is in {node}"))
    said = words.format(node=node, queue=queue or node, number=call.dialed_number or "a number")
    since = datetime.fromisoformat(step["started_at"]).astimezone(UTC)
    return Whereabouts(icon, said, since, node, node_type)
