"""Call lifecycle: runs the call's handler and cleans up after it, whatever fails."""

import logging
from collections.abc import Callable

from callytics.ari.commands import AriError
from worker.calls.leg import CallerGone
from worker.calls.session import Session

log = logging.getLogger(__name__)

# Does all that is done for a call, from its first node to its last. Raises CallerGone.
CallHandler = Callable[[Session], None]

# The hang-up reason that the network of an unanswered caller is given.
_REASONS = {"busy": "busy", "no_answer": "no_answer", "failed": "congestion"}


def run_call(session: Session, handler: CallHandler) -> None:
    """Run the call's handler to its end or its failure, then end the call."""
    session.save()
    try:
        _handle(session, handler)
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
    end_call(session)


def _handle(session: Session, handler: CallHandler) -> None:
    try:
        handler(session)
    except AriError as error:
        session.wait_for_hangup(error)
        raise


def end_call(session: Session) -> None:
    """Stop the recordings, hang up the channels, remove the bridge, complete the recordings.

    Recordings stop first, so that their files are whole. The files are read last: a disk that
    hangs must not keep anybody on the line. A step that fails does not prevent the next.
    """
    session.ending = True
    # The end of the call is now, not when its files are closed.
    session.call.end()
    try:
        for step in (_stop_recordings, _hang_up_channels, _complete_recordings):
            _try_step(session, step)
    finally:
        session.save_row()
        session.ended = True
        session.services.journal.remove(session.call.uid)
        session.services.unregister(session)


def _try_step(session: Session, step: Callable[[Session], None]) -> None:
    try:
        step(session)
    except Exception:
        log.exception("call %s was not quite tidied up", session.call.uid)
        problem = "an error in Callytics at the end of this call"
        session.call.problem = session.call.problem or problem


def _stop_recordings(session: Session) -> None:
    for recording in session.recordings:
        recording.stop(session.wait_until)


def _hang_up_channels(session: Session) -> None:
    for channel_id in (*session.legs, *session.transferred):
        session.hang_up(channel_id)
    session.hang_up(session.caller_id, _REASONS.get(session.call.disposition or "", "normal"))
    if session.bridge_id is not None:
        bridge_id = session.bridge_id
        session.try_twice(
            lambda: session.ari.delete_bridge(bridge_id), "its bridge was not removed"
        )


def _complete_recordings(session: Session) -> None:
    for recording in list(session.recordings):
        session.complete_recording(recording)
