"""Passwords: the rule for a new one, and hashing, which runs in threads of its own.

A hash takes some 60 ms of a core. In the thread of the event loop, a few sign-ins would hold up
every other request of the process.
"""

import gzip
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ParamSpec, TypeVar
from weakref import WeakKeyDictionary

import gevent
from gevent.hub import Hub
from gevent.lock import BoundedSemaphore
from gevent.threadpool import ThreadPool
from werkzeug.security import check_password_hash, generate_password_hash

from callytics.people.names import account_name

PASSWORD_MIN = 10
# The rule as forms and commands state it.
PASSWORD_RULE = f"At least {PASSWORD_MIN} characters; not the name, and no common password."
# Hashes that one process computes at once: each takes 32 MB.
THREADS = 2

_COMMON = Path(__file__).with_name("common_passwords.txt.gz")
# Compared if the name is unknown, so that the response takes as long as for a wrong password.
_NOBODY = generate_password_hash("nobody has this password")
_turns = BoundedSemaphore(THREADS)
_pools: WeakKeyDictionary[Hub, ThreadPool] = WeakKeyDictionary()

P = ParamSpec("P")
R = TypeVar("R")


class PasswordError(ValueError):
    """A password that nobody may have; the message says why."""


def check_new_password(password: str, username: str) -> None:
    """Raise PasswordError unless the user of this name may have this password."""
    if len(password) < PASSWORD_MIN:
        raise PasswordError(f"must have at least {PASSWORD_MIN} characters")
    plain = account_name(password)
    if plain == account_name(username):
        raise PasswordError("must not be the name; choose another")
    if plain in _common_passwords():
        raise PasswordError("is one of the commonest passwords; choose another")


def new_password() -> str:
    """Return a random password."""
    return secrets.token_urlsafe(12)


def hash_password(password: str) -> str:
    """Return a salted hash of a password."""
    return run_in_thread(generate_password_hash, password)


def is_right(password_hash: str | None, password: str) -> bool:
    """Return True if this is the password; without a hash it takes as long and is never right."""
    right = run_in_thread(check_password_hash, password_hash or _NOBODY, password)
    return right and password_hash is not None


class BusyError(TimeoutError):
    """No thread for a hash got free in time."""


@contextmanager
def turn(seconds: float) -> Iterator[None]:
    """Wait for one of the few threads, at most `seconds`. Raises BusyError.

    An attempt is counted when its turn has come, so those that wait do not use up a limit.
    """
    if not _turns.acquire(timeout=seconds):
        raise BusyError(f"no thread was free within {seconds:.0f} s")
    try:
        yield
    finally:
        _turns.release()


def _common_passwords() -> frozenset[str]:
    """Return the common passwords in the normal form of names. Not kept: a change is rare."""
    with gzip.open(_COMMON, "rt", encoding="utf-8") as lines:
        return frozenset(account_name(line) for line in lines if not line.startswith("#"))


def run_in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return the result of a function that runs in one of the threads for sign-ins."""
    hub = gevent.get_hub()
    if hub not in _pools:
        _pools[hub] = ThreadPool(THREADS, hub=hub)
    result: R = _pools[hub].apply(function, args, kwargs)
    return result
