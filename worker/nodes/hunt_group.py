"""Hunt Group node: rings several destinations, at once or one after the other."""

import random

from callytics.flows.node_types.hunt_group import HuntGroup
from worker.calls.conversation import connect
from worker.calls.session import Session


def run(session: Session, node: HuntGroup) -> str:
    """Ring the destinations; return a result of NODE_TYPE. Raises CallerGone."""
    return connect(session, rounds_of(node), node.ring_seconds, "hunt_group", node.record_call)


def rounds_of(node: HuntGroup) -> list[list[str]]:
    """Return the destinations to ring in each round, in the order of the rounds."""
    if node.strategy == "simultaneous":
        return [list(node.destinations)]
    rounds = [[destination] for destination in node.destinations]
    if node.strategy == "random":
        random.shuffle(rounds)
    return rounds
