"""Audit entries of listening: one for all requests of a player.

The process that sends the audio writes the entry first.
"""

import logging
import time
from datetime import timedelta

from callytics.audit.access_log import log_access_once
from callytics.audit.authors import Author, author_name
from callytics.web.http.offload import run_audit

log = logging.getLogger(__name__)

# Requests of one person for one recording within this time share an entry.
ONE_LISTENING = timedelta(minutes=10)
# Longest wait for the entry, which is written before the audio is sent.
PATIENCE_SECONDS = 3.0
_MOST_REMEMBERED = 10_000

# Entries that this process has written, and when (monotonic seconds), oldest first.
_noted: dict[tuple[Author, str, str], float] = {}


class UnloggedError(Exception):
    """The entry cannot be written, so nothing may be heard."""


def note(author: Author, action: str, uid: str) -> None:
    """Write the entry of `action` (play, download), unless the same listening has one.

    Returns once the entry is in the database. Raises UnloggedError if it cannot be written in time;
    it may still be written then.
    """
    if _is_noted(author, action, uid):
        return
    key = (author, action, uid)
    try:
        run_audit(log_access_once, *key, ONE_LISTENING, seconds=PATIENCE_SECONDS)
    except Exception as error:  # of any kind: what matters is that there is no entry
        who = author_name(author)
        log.error("audit: %s of %s by %s cannot be kept: %r", action, uid, who, error)
        raise UnloggedError from error
    _remember(key, time.monotonic())


def _is_noted(author: Author, action: str, uid: str) -> bool:
    """Return True if this process has written the entry of this listening."""
    noted = _noted.get((author, action, uid), float("-inf"))
    return time.monotonic() - noted < ONE_LISTENING.total_seconds()


def _remember(key: tuple[Author, str, str], now: float) -> None:
    _noted.pop(key, None)
    _noted[key] = now
    while len(_noted) > _MOST_REMEMBERED:
        del _noted[next(iter(_noted))]
