"""Flow runner: runs the nodes of a call's flow, one after the other."""

import logging
from time import monotonic

from callytics.flows.document import Flow
from worker.calls.session import Session
from worker.nodes import EXECUTORS

log = logging.getLogger(__name__)

# A flow may contain a loop, as a menu does. This limit ends a call that never leaves its loop.
MOST_STEPS = 200
# Shortest time between two entries of a node, for a flow that goes round without waiting.
ROUND_SECONDS = 0.5


def lead_inbound(session: Session) -> None:
    """Run the flow that has the dialed number. Raises CallerGone."""
    number = session.call.dialed_number
    session.document = session.services.rules.document()
    found = session.document.flow_for(number)
    if found is None:
        log.warning("call %s: no flow has the number %s", session.call.uid, number)
        session.call.problem = f"no flow has the number {number}"
        session.finish("unreachable")
        return
    session.call.flow, flow = found
    walk(session, flow)


def walk(session: Session, flow: Flow) -> None:
    """Run nodes until a conversation took place or there is no next node. Raises CallerGone.

    An adopted call continues in its open node.
    """

    name: str | None = session.call.open_node or flow.start
    result = "unreachable"
    entered: dict[str, float] = {}
    for _ in range(MOST_STEPS):
        if name is None or result == "answered":
            return session.finish(result)
        session.catch_up()
        if name in entered:
            session.wait(ROUND_SECONDS - (monotonic() - entered[name]))
        entered[name] = monotonic()
        node = flow.nodes[name]
        if session.call.open_node is None:
            session.call.enter(name, node.type)
        session.save()
        result = EXECUTORS[node.type](session, node)
        session.call.leave(result)
        name = node.next
    log.warning("call %s: its flow went round %d times", session.call.uid, MOST_STEPS)
    return session.finish(result)
