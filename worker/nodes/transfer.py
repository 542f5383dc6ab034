"""Transfer node: rings one destination and bridges it with the caller."""

from callytics.flows.node_types.transfer import Transfer
from worker.calls.conversation import connect
from worker.calls.session import Session


def run(session: Session, node: Transfer) -> str:
    """Ring the destination; return a result of NODE_TYPE. Raises CallerGone."""
    rounds = [[node.destination]]
    return connect(session, rounds, node.ring_seconds, "transfer", node.record_call)
