"""The Transfer node: rings one destination and joins it with the caller."""

from callytics.flow_document import Transfer
from worker.conversation import converse, make_bridge
from worker.dialing import ring_until_answer
from worker.session import Session


def transfer(session: Session, node: Transfer) -> str:
    """`answered` after a conversation, or why there was none. Raises CallerGone."""
    make_bridge(session)
    leg, result = ring_until_answer(session, [node.destination], node.ring_seconds)
    if leg is not None and not converse(session, leg, "transfer", node.record_call):
        return "hung_up"
    return result
