"""What a caller hears until somebody talks to them, and the answer that a caller is given."""

import logging
from collections.abc import Callable

from callytics.ari.commands import AriError
from worker.calls.session import Session

log = logging.getLogger(__name__)


def let_hear_ringing(session: Session) -> None:
    """Ringing for the caller, from their own network before we answer, from Asterisk after.

    A caller who hears music while they wait goes on hearing it.
    """
    if not session.hears:
        _please(session, session.ari.ring)
        session.hears = "ringing"


def start_music(session: Session, music: str) -> None:
    """Music on hold for the caller."""
    _please(session, session.ari.start_music, music)
    session.hears = "music"


def quiet(session: Session) -> None:
    """End what the caller hears, and answer; to answer a channel ends its ringing too."""
    if session.hears == "music":
        _please(session, session.ari.stop_music)
    elif session.hears and session.caller_up:
        _please(session, session.ari.stop_ringing)
    session.hears = ""
    if not session.caller_up:
        session.ari.answer(session.caller_id)
        session.caller_up = True


def _please(session: Session, command: Callable[..., None], *words: str) -> None:
    """What a caller hears while they wait; without it the call goes on. Raises CallerGone."""
    try:
        command(session.caller_id, *words)
    except AriError as error:
        session.hear_who_left(error)
        log.warning("call %s: the caller hears something else: %s", session.call.uid, error)
