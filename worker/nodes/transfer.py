"""The Transfer node: rings one destination and joins it with the caller."""

from callytics.flows.node_types.transfer import Transfer
from worker.calls.conversation import connect
from worker.calls.session import Session


def run(session: Session, node: Transfer) -> str:
    """`answered` after a conversation, or why there was none. Raises CallerGone."""
    rounds = [[node.destination]]
    return connect(session, rounds, node.ring_seconds, "transfer", node.record_call)
