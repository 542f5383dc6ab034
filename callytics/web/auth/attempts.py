"""Limits of password attempts: each counts before it is checked and is given back if right.

A limit that counts afterwards lets through every attempt that is made while the first is checked.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from flask import current_app
from limits import RateLimitItem, parse
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests

from callytics.people.passwords import BusyError, run_in_thread, turn
from callytics.web.auth.rate_limit_store import SharedFile, storage_uri

PER_ADDRESS = parse("20 per minute")
PER_NAME = parse("10 per 5 minutes")
# For a browser in which its person has signed in before, and for a person who is signed in.
PER_BROWSER = parse("10 per 5 minutes")
# Longest wait for a thread that hashes.
PATIENCE_SECONDS = 10.0

R = TypeVar("R")


class RefusedAttempt(TooManyRequests):
    """An attempt over a limit; `is_first` once for each time that the limit is reached."""

    is_first = False


@dataclass(frozen=True)
class Limit:
    """A rate, and the address, name or browser that it is for."""

    rate: RateLimitItem
    kind: str
    who: str

    @property
    def key(self) -> str:
        """Key of the count. Hashed: the file holds no name, and no password typed in its place."""
        return self.rate.key_for(self.kind, sha256(self.who.encode(errors="replace")).hexdigest())


def attempt(check: Callable[[], R | None], *limits: Limit) -> R | None:
    """Return the result of `check`, None for a wrong password, once it has been counted.

    The counts are kept apart from the event loop, since another process may have locked their file.

    Raises RefusedAttempt if a limit is reached, ServiceUnavailable if no thread gets free to hash.
    """
    store = SharedFile(storage_uri(current_app))
    try:
        # An attempt that waits for its turn is not counted yet: many people sign in at nine.
        with turn(PATIENCE_SECONDS):
            return _counted(store, check, limits)
    except BusyError as error:
        raise ServiceUnavailable("Very many people sign in right now. Try again.") from error


def _counted(
    store: SharedFile, check: Callable[[], R | None], limits: tuple[Limit, ...]
) -> R | None:
    for number, limit in enumerate(limits):
        if run_in_thread(store.incr, limit.key, limit.rate.get_expiry()) > limit.rate.amount:
            # A refused attempt counts nowhere: the counts are those that were checked.
            _give_back(store, limits[: number + 1])
            raise _refusal(store, limit)
    is_wrong = False
    try:
        result = check()
        is_wrong = result is None
        return result
    finally:
        if not is_wrong:
            _give_back(store, limits)


def _give_back(store: SharedFile, limits: tuple[Limit, ...]) -> None:
    for limit in limits:
        run_in_thread(store.give_back, limit.key)


def _refusal(store: SharedFile, limit: Limit) -> RefusedAttempt:
    wait = max(1, round(run_in_thread(store.get_expiry, limit.key) - time.time()))
    error = RefusedAttempt(retry_after=wait)
    error.is_first = run_in_thread(store.incr, f"{limit.key}/refused", wait) == 1
    return error
