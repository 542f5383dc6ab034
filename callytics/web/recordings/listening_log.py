"""Who listened to what, kept by the process that serves the bytes."""

import logging
import time
from datetime import timedelta

from callytics.audit.access_log import log_access_once
from callytics.web.http.offload import run_with_deadline

log = logging.getLogger(__name__)

# A player asks for many parts; those of one person and recording within this are one listening.
ONE_LISTENING = timedelta(minutes=10)
# How long the sound may wait for its entry. It is written first, so that a crash cannot lose it.
PATIENCE_SECONDS = 1.0
_MOST_REMEMBERED = 10_000

# What this process knows to be written, and when that was (monotonic seconds), oldest first.
_noted: dict[tuple[str, str, str], float] = {}


def note(username: str, action: str, uid: str) -> None:
    """Keep that a person did `action` (play, download), once for one listening.

    Never fails: audio must not stop where the database does. The log then tells of it.
    """
    if is_noted(username, action, uid):
        return
    key = (username, action, uid)
    _remember(key, time.monotonic())
    try:
        run_with_deadline(log_access_once, *key, ONE_LISTENING, seconds=PATIENCE_SECONDS)
    except Exception as error:  # whatever the database comes up with
        _noted.pop(key, None)
        log.error("audit: %s of %s by %s may not be kept: %r", action, uid, username, error)


def is_noted(username: str, action: str, uid: str) -> bool:
    """Whether this process knows that it is written already, for this listening."""
    noted = _noted.get((username, action, uid), float("-inf"))
    return time.monotonic() - noted < ONE_LISTENING.total_seconds()


def _remember(key: tuple[str, str, str], now: float) -> None:
    _noted.pop(key, None)
    _noted[key] = now
    while len(_noted) > _MOST_REMEMBERED:
        del _noted[next(iter(_noted))]
