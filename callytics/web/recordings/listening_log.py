"""Audit entries of listening, one for the many requests of a player.

Written by the process that sends the sound, before it sends it.
"""

import logging
import time
from datetime import timedelta

from callytics.audit.access_log import log_access_once
from callytics.audit.authors import Author, author_name
from callytics.web.http.offload import run_with_deadline

log = logging.getLogger(__name__)

# Requests of one person for one recording within this time are one listening.
ONE_LISTENING = timedelta(minutes=10)
# Longest wait of the sound for its entry, which comes first so that a crash cannot lose it.
PATIENCE_SECONDS = 1.0
_MOST_REMEMBERED = 10_000

# Entries that this process knows to be written, and when (monotonic seconds), oldest first.
_noted: dict[tuple[Author, str, str], float] = {}


def note(author: Author, action: str, uid: str) -> None:
    """Write that a person did `action` (play, download), once for each listening.

    Never raises: audio goes on while the database is away, and the log has the entry then.
    """
    if _is_noted(author, action, uid):
        return
    key = (author, action, uid)
    _remember(key, time.monotonic())
    try:
        run_with_deadline(log_access_once, *key, ONE_LISTENING, seconds=PATIENCE_SECONDS)
    except Exception as error:  # of any kind: the sound must not stop
        _noted.pop(key, None)
        log.error(
            "audit: %s of %s by %s may not be kept: %r", action, uid, author_name(author), error
        )


def _is_noted(author: Author, action: str, uid: str) -> bool:
    """Return True if this process knows that the entry of this listening is written."""
    noted = _noted.get((author, action, uid), float("-inf"))
    return time.monotonic() - noted < ONE_LISTENING.total_seconds()


def _remember(key: tuple[Author, str, str], now: float) -> None:
    _noted.pop(key, None)
    _noted[key] = now
    while len(_noted) > _MOST_REMEMBERED:
        del _noted[next(iter(_noted))]
