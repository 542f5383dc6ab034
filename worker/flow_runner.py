"""Flow runner: leads a call through its flow, node by node."""

import logging

from callytics.flows.document import Flow
from worker.calls.session import Session
from worker.nodes import EXECUTORS

log = logging.getLogger(__name__)

# A flow may go round, as a menu does; one that only goes round would keep a call for ever.
MOST_STEPS = 200


def lead_inbound(session: Session) -> None:
    """Find the flow that has the dialed number and walk it. Raises CallerGone."""
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
    """Run node after node until a conversation took place or there is no next node.

    An adopted call is in a node already, and goes on in it.
    """
    name: str | None = session.call.open_node or flow.start
    result = "unreachable"
    for _ in range(MOST_STEPS):
        if name is None or result == "answered":
            return session.finish(result)
        node = flow.nodes[name]
        if session.call.open_node is None:
            session.call.enter(name, node.type)
        session.save()
        result = EXECUTORS[node.type](session, node)
        session.call.leave(result)
        name = node.next
    log.warning("call %s: its flow went round %d times", session.call.uid, MOST_STEPS)
    return session.finish(result)
