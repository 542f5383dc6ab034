"""Caller audio: ringing and music while the caller waits, and the answer."""

import logging
from collections.abc import Callable

from callytics.ari.commands import AriError
from worker.calls.session import Session

log = logging.getLogger(__name__)


def start_ringing(session: Session) -> None:
    """Signal ringing: the caller's network plays it before the answer, Asterisk after it.

    A caller who hears music while waiting goes on hearing it. Raises CallerGone.
    """
    if not session.hears:
        _try_command(session, session.ari.ring)
        session.hears = "ringing"


def start_music(session: Session, music: str) -> None:
    """Play the music-on-hold class `music` to the caller. Raises CallerGone."""
    _try_command(session, session.ari.start_music, music)
    session.hears = "music"


def stop_and_answer(session: Session) -> None:
    """Stop ringing or music, and answer the caller. Raises AriError, CallerGone.

    Asterisk stops the ringing of a channel that it answers.
    """
    if session.hears == "music":
        _try_command(session, session.ari.stop_music)
    elif session.hears and session.caller_up:
        _try_command(session, session.ari.stop_ringing)
    session.hears = ""
    if not session.caller_up:
        session.ari.answer(session.caller_id)
        session.caller_up = True


def _try_command(session: Session, command: Callable[..., None], *args: str) -> None:
    """Call a command without which the call can go on. Raises CallerGone."""
    try:
        command(session.caller_id, *args)
    except AriError as error:
        session.wait_for_hangup(error)
        log.warning("call %s: the caller hears something else: %s", session.call.uid, error)
