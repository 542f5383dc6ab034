"""Memo of reads and of list versions that ends with the next write to the database.

An open page asks for news every two seconds, and several people look at the same page. What the
database said is kept for as long as its change token stays the same. Each request passes the
sign-in check before any of it is used, and a key names everything else that the value depends on.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import TypeVar, cast

from flask import Flask, current_app, g, request

from callytics.database.change_token import Token, token_reader

# A few entries for each person, and pages of a list of some 40 kB each.
MOST_ENTRIES = 500

Result = TypeVar("Result")


class UntilWrite:
    """Values by key, each valid for one change token; the oldest leave when there are too many."""

    def __init__(self, read_token: Callable[[], Token | None]) -> None:
        self.read_token = read_token
        self._known: OrderedDict[Hashable, tuple[Token, object]] = OrderedDict()

    def get(self, key: Hashable, token: Token) -> tuple[object] | None:
        """Return the value of `key` as a tuple of one, or None if there is none for `token`."""
        known = self._known.get(key)
        return (known[1],) if known and known[0] == token else None

    def put(self, key: Hashable, token: Token, value: object) -> None:
        """Keep a value that was read after `token`."""
        self._known[key] = token, value
        self._known.move_to_end(key)
        while len(self._known) > MOST_ENTRIES:
            self._known.popitem(last=False)


def init_cached_until_write(app: Flask) -> None:
    """Give `app` its memo."""
    app.extensions[__name__] = UntilWrite(token_reader(app))


def cached_until_write(read: Callable[..., Result], *args: Hashable) -> Result:
    """Return `read(*args)`, called again only after a write to the database.

    Only for functions whose result depends on the database and on `args` alone. Needs a request;
    one that may write itself (POST) always reads.
    """
    key = (read, args)
    known = recall(key)
    if known is not None:
        return cast(Result, known[0])
    value = read(*args)
    remember(key, value)
    return value


def recall(key: Hashable) -> tuple[object] | None:
    """Return what was remembered under `key` since the last write, as a tuple of one, or None.

    The change token is read before anything else is, so what is written meanwhile makes a value
    old and not wrong.
    """
    token = _token()
    return None if token is None else _memo().get(key, token)


def remember(key: Hashable, value: object) -> None:
    """Keep `value` under `key` until the next write. Does nothing unless `recall` came first."""
    token = g.get("change_token")
    if token is not None:
        _memo().put(key, token, value)


def _token() -> Token | None:
    """The change token as it was when this request first asked for it; None to read everything."""
    if request.method not in ("GET", "HEAD"):
        return None
    if "change_token" not in g:
        g.change_token = _memo().read_token()
    token: Token | None = g.change_token
    return token


def _memo() -> UntilWrite:
    memo: UntilWrite = current_app.extensions[__name__]
    return memo
