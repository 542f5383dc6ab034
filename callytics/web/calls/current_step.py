"""Current step of a call in progress: "Rings desk", "Waits in support", "Talks with alice"."""

from dataclasses import dataclass
from datetime import UTC, datetime

from callytics.calls.library import CallRow
from callytics.flows.node_types import NODE_TYPES
from callytics.telephony.numbers import phone

# A direct outbound call, which goes through no node.
_OUTBOUND = ("rings", "Calls {number}")


@dataclass(frozen=True)
class CurrentStep:
    """Current step and its start; the node is empty between two nodes."""

    icon: str
    words: str
    since: datetime
    node: str = ""
    node_type: str = ""


def current_step(call: CallRow, queue: str | None) -> CurrentStep:
    """Return the current step of a call; `queue` is the queue of a waiting caller, if known."""
    step = call.path[-1] if call.path else None
    if step is None or step["ended_at"] is not None:
        # A call is between two nodes for an instant only, unless its worker has died.
        return CurrentStep("rings", "Goes on" if step else "Begins", call.started_at)
    node, node_type = step["node"], step["type"]
    if call.answered_at:
        who = phone(call.callee) or "somebody"
        return CurrentStep("talks", f"Talks with {who}", call.answered_at, node, node_type)
    icon, words = _live(node_type)
    said = words.format(node=node, queue=queue or node, number=call.dialed_number or "a number")
    since = datetime.fromisoformat(step["started_at"]).astimezone(UTC)
    return CurrentStep(icon, said, since, node, node_type)


def _live(node_type: str) -> tuple[str, str]:
    if node_type == "outbound":
        return _OUTBOUND
    if described := NODE_TYPES.get(node_type):
        return described.live_icon, described.live_words
    return "rings", "Is in {node}"
