"""Rings destinations until one answers: what transfer, hunt group, queue and outbound share."""

import logging
from collections.abc import Iterable, Sequence

from callytics.ari.commands import AriError
from callytics.identifiers import new_uid
from worker.calls import caller_audio
from worker.calls.call_facts import NO_ANSWER, result_of
from worker.calls.leg import Leg
from worker.calls.session import Session

log = logging.getLogger(__name__)

# Asterisk ends a leg at its own time-out; if it does not, we do, a little later.
GRACE_SECONDS = 2.0


def ring_until_answer(
    session: Session, destinations: Sequence[str], seconds: int
) -> tuple[Leg | None, str]:
    """Ring all `destinations` at once; the first to answer wins, the others stop ringing.

    Returns the leg that answered, or None, and a result: `answered`, `busy`, `no_answer`,
    `refused` or `unreachable`. Raises CallerGone.
    """
    caller_audio.let_hear_ringing(session)
    legs = [ring(session, destination, seconds) for destination in destinations]
    session.wait_until(lambda: _decided(legs), seconds + GRACE_SECONDS)
    winner = next((leg for leg in legs if leg.up and not leg.gone), None)
    for leg in legs:
        if leg is not winner:
            _dismiss(session, leg, "answered_elsewhere" if winner else "no_answer")
    return winner, "answered" if winner else most_hopeful(result_of(leg.cause) for leg in legs)


def ring(session: Session, destination: str, seconds: int) -> Leg:
    """Begin to ring a destination. The leg is `gone` at once when Asterisk refuses it."""
    leg = Leg(f"callytics-{session.call.uid}-{new_uid()[:6]}", destination)
    session.legs[leg.channel_id] = leg
    session.services.watch(leg.channel_id, session)
    session.keep()
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
        log.info("call %s: %s cannot be rung: %s", session.call.uid, destination, error)
        # If only the answer was lost, it rings.
        session.let_go(leg.channel_id)
        leg.gone = True
    leg.placed = True
    return leg


def _caller_id(session: Session) -> str:
    if session.shown_number:
        return session.shown_number
    name = session.call.caller_name.replace('"', "").replace("<", "").replace(">", "")
    return f'"{name}" <{session.call.caller_number}>' if session.call.caller_number else ""


def _decided(legs: Sequence[Leg]) -> bool:
    return any(leg.up and not leg.gone for leg in legs) or all(leg.gone for leg in legs)


def _dismiss(session: Session, leg: Leg, reason: str) -> None:
    if not leg.gone:
        leg.cause = NO_ANSWER
        session.let_go(leg.channel_id, reason)
    session.legs.pop(leg.channel_id, None)


def most_hopeful(results: Iterable[str]) -> str:
    """Of several results the one that tells most: who did not answer may do so the next time."""
    found = set(results)
    order = ("hung_up", "no_answer", "busy", "refused")
    return next((result for result in order if result in found), "unreachable")
