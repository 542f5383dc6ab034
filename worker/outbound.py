"""Outbound call: a phone of this PBX calls a number outside."""

import logging

from callytics.telephony.numbers import NumberError, check_number
from worker.calls import caller_audio
from worker.calls.conversation import connect
from worker.calls.dialing import caller_id_of
from worker.calls.session import Session
from worker.nodes.play_audio import play

log = logging.getLogger(__name__)

RING_SECONDS = 60
# The prompt when the call cannot be placed at all; one of Asterisk's core sounds.
NOT_POSSIBLE = "sound:cannot-complete-as-dialed"


def run_outbound(session: Session) -> None:
    """Call the dialed number, by the settings of this moment. Raises CallerGone."""
    settings = session.services.rules.settings()
    if session.call.open_node is None:
        session.call.enter("outbound", "outbound")
    try:
        number = check_number(session.call.dialed_number)
    except NumberError as error:
        return _refuse(session, str(error))
    if not settings["outbound_endpoint"]:
        return _refuse(session, "outbound_endpoint: is not set; see `flask settings set`")
    destination = settings["outbound_endpoint"].replace("{number}", number)
    # Never a name: for a call placed from a page it is the user name of the sign-in.
    own_number = caller_id_of(session.call.caller_number) if session.call.caller_number else ""
    session.caller_id_override = settings["outbound_caller_id"] or own_number
    record = settings["record_outbound_calls"] == "true"
    result = connect(session, [[destination]], RING_SECONDS, "outbound", record)
    session.finish(result)
    return None


def _refuse(session: Session, problem: str) -> None:
    """Report that the call cannot be placed: in the log, in its row, and to the caller."""
    log.warning("call %s: not placed: %s", session.call.uid, problem)
    session.call.problem = problem
    caller_audio.stop_and_answer(session)
    play(session, NOT_POSSIBLE)
    session.finish("unreachable")
