"""Hunt Group node: rings several destinations, at once or one after the other."""

import random

from callytics.flows.node_types.hunt_group import HuntGroup
from worker.calls.conversation import connect
from worker.calls.session import Session


def run(session: Session, node: HuntGroup) -> str:
    """Ring the destinations; return a result of NODE_TYPE. Raises CallerGone."""
    if node.strategy == "simultaneous":
        rounds = [list(node.destinations)]
    else:
        rounds = [[destination] for destination in node.destinations]
    if node.strategy == "random":
        random.shuffle(rounds)
    return connect(session, rounds, node.ring_seconds, "hunt_group", node.record_call)
