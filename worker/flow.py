"""Leads a call through its flow, node by node."""

import logging

from callytics.flow_document import Flow
from worker.nodes import NODES
from worker.session import Session

log = logging.getLogger(__name__)

# A flow may go round, as a menu does; one that only goes round would keep a call for ever.
MOST_STEPS = 200


def lead_inbound(session: Session) -> None:
    """Find the flow that has the dialled number and walk it. Raises CallerGone."""
    number = session.call.dialed_number
    found = session.services.rules.document().flow_for(number)
    if found is None:
        log.warning("call %s: no flow has the number %s", session.call.uid, number)
        session.call.disposition, session.call.problem = "failed", f"no flow has {number}"
        return
    session.call.flow, flow = found
    walk(session, flow)


def walk(session: Session, flow: Flow) -> None:
    """Go from node to node until a conversation took place or there is no next one."""
    name: str | None = flow.start
    for _ in range(MOST_STEPS):
        if name is None:
            return
        node = flow.nodes[name]
        session.call.enter(name, node.type)
        session.save()
        result = _visit(session, node)
        if result == "answered":
            return
        session.call.disposition = _disposition(result)
        name = node.next
    log.warning("call %s: its flow went round %d times", session.call.uid, MOST_STEPS)


def _visit(session: Session, node: object) -> str:
    result = "caller_hung_up"
    try:
        result = NODES[node.type](session, node)
    finally:
        if session.call.disposition == "answered":
            result = "answered"
        session.call.leave(result)
    return result


def _disposition(result: str) -> str:
    return {"busy": "busy", "no_answer": "no_answer", "hung_up": "no_answer"}.get(result, "failed")
