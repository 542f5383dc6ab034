"""Dialing: rings destinations until one answers, for transfer, hunt group, queue and outbound."""

import logging
import re
from collections.abc import Iterable, Sequence

from callytics.ari.commands import AriError
from callytics.identifiers import new_uid
from worker.calls import caller_audio
from worker.calls.call_facts import NO_ANSWER, result_of
from worker.calls.leg import Leg
from worker.calls.session import Session

log = logging.getLogger(__name__)

# Asterisk ends a leg at its own timeout. If it does not, the leg is hung up this much later.
GRACE_SECONDS = 2.0


def ring_until_answer(
    session: Session, destinations: Sequence[str], seconds: int
) -> tuple[Leg | None, str]:
    """Ring all `destinations` at once; the first to answer wins, the others stop ringing.

    Returns the leg that answered, or None, and a result: `answered`, `busy`, `no_answer`,
    `refused` or `unreachable`. Raises CallerGone.
    """
    # A caller who hung up meanwhile must not make a phone ring.
    session.catch_up()
    caller_audio.start_ringing(session)
    legs = [_ring(session, destination, seconds) for destination in destinations]
    session.wait_until(lambda: _is_decided(legs), seconds + GRACE_SECONDS)
    winner = next((leg for leg in legs if leg.up and not leg.gone), None)
    for leg in legs:
        if leg is not winner:
            _stop_ringing(session, leg, "answered_elsewhere" if winner else "no_answer")
    return winner, "answered" if winner else best_result(result_of(leg.cause) for leg in legs)


def is_leg_of(call_uid: str, channel_id: str) -> bool:
    """Return True for the id of a channel that was dialed for a call.

    False for the other half of a Local channel, whose id is the same with ";2" at its end.
    """
    return re.fullmatch(rf"callytics-{re.escape(call_uid)}-[0-9a-f]{{6}}", channel_id) is not None


def best_result(results: Iterable[str]) -> str:
    """Return the most hopeful of several results: `no_answer` before `busy`, for example."""
    found = set(results)
    order = ("hung_up", "no_answer", "busy", "refused")
    return next((result for result in order if result in found), "unreachable")


def _ring(session: Session, destination: str, seconds: int) -> Leg:
    """Originate a channel to a destination. The leg is `gone` at once if Asterisk refuses it.

    Raises CallerGone if Asterisk refuses it because the caller, its originator, has hung up.
    """
    leg = Leg(f"callytics-{session.call.uid}-{new_uid()[:6]}", destination)
    session.legs[leg.channel_id] = leg
    session.services.register(leg.channel_id, session)
    session.write_journal()
    try:
        session.ari.originate(
            destination,
            leg.channel_id,
            app_args=f"dialed,{session.call.uid}",
            ring_seconds=seconds,
            caller_id=_caller_id(session),
            originator=session.caller_id,
        )
    except AriError as error:
        if error.refused and not session.caller_is_there():
            log.info(
                "call %s: %s cannot be rung: the caller has hung up", session.call.uid, destination
            )
            session.wait_for_hangup(error)
        log.info("call %s: %s cannot be rung: %s", session.call.uid, destination, error)
        # If only the answer to the command was lost, it rings.
        session.hang_up(leg.channel_id)
        leg.gone = True
    leg.placed = True
    return leg


def _caller_id(session: Session) -> str:
    if session.caller_id_override:
        return session.caller_id_override
    call = session.call
    return caller_id_of(call.caller_number, call.caller_name) if call.caller_number else ""


def caller_id_of(number: str, name: str = "") -> str:
    """Return number and name as one caller ID, which neither can end before its end."""
    number, name = (re.sub(r'[<>"\\]', "", text) for text in (number, name))
    return f'"{name}" <{number}>' if name else f"<{number}>"


def _is_decided(legs: Sequence[Leg]) -> bool:
    return any(leg.up and not leg.gone for leg in legs) or all(leg.gone for leg in legs)


def _stop_ringing(session: Session, leg: Leg, reason: str) -> None:
    if not leg.gone:
        leg.cause = NO_ANSWER
        session.hang_up(leg.channel_id, reason)
    session.legs.pop(leg.channel_id, None)
