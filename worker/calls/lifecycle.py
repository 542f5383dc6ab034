"""A call from its first event to its last: led, whatever happens, to an orderly end."""

import logging
from collections.abc import Callable

from callytics.ari.commands import AriError
from worker.calls.leg import CallerGone
from worker.calls.session import Session

log = logging.getLogger(__name__)

Lead = Callable[[Session], None]

# What an unanswered caller is told by their own network.
_REASONS = {"busy": "busy", "no_answer": "no_answer", "failed": "congestion"}


def run(session: Session, lead: Lead) -> None:
    """Lead the call to its end, whatever happens on the way."""
    session.save()
    try:
        _lead(session, lead)
    except CallerGone:
        talked = session.call.disposition == "answered"
        session.call.leave("answered" if talked else "caller_hung_up")
        session.finish("abandoned")
    except AriError as error:
        log.warning("call %s is ended: %s", session.call.uid, error)
        session.call.problem = session.call.problem or str(error)
        session.finish("failed")
    except Exception:
        log.exception("call %s failed; it is ended", session.call.uid)
        session.call.problem = session.call.problem or "an error in Callytics ended this call"
        session.finish("failed")
    end(session)


def _lead(session: Session, lead: Lead) -> None:
    try:
        lead(session)
    except AriError as error:
        session.hear_who_left(error)
        raise


def end(session: Session) -> None:
    """Recordings first, so that their files are whole; then the channels, then the bridge.

    The files are read when everybody is gone: a disk that hangs must not keep them. No step
    that fails keeps the others from being done.
    """
    session.ending = True
    # Now, and not when its files are closed.
    session.call.end()
    try:
        for step in (_stop_recordings, _let_all_go, _complete_recordings):
            _try(session, step)
    finally:
        session.save()
        session.services.journal.drop(session.call.uid)
        session.services.forget(session)


def _try(session: Session, step: Lead) -> None:
    try:
        step(session)
    except Exception:
        log.exception("call %s was not quite tidied up", session.call.uid)
        problem = "an error in Callytics at the end of this call"
        session.call.problem = session.call.problem or problem


def _stop_recordings(session: Session) -> None:
    for recording in session.recordings:
        recording.stop(session.wait_until)


def _let_all_go(session: Session) -> None:
    for channel_id in (*session.legs, *session.transferred):
        session.let_go(channel_id)
    session.let_go(session.caller_id, _REASONS.get(session.call.disposition or "", "normal"))
    if session.bridge_id is not None:
        bridge_id = session.bridge_id
        session.surely(lambda: session.ari.delete_bridge(bridge_id), "its bridge was not removed")


def _complete_recordings(session: Session) -> None:
    for recording in list(session.recordings):
        session.complete(recording)
