"""Rate-limit store that all web processes share.

In memory, each gunicorn process would count for itself. The store is a file of its own, not the
database: password guessing must not make the worker wait for the database's write lock.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from flask import Flask
from limits.storage import Storage

_SCHEMA = """CREATE TABLE IF NOT EXISTS counts
             (key TEXT PRIMARY KEY, count INTEGER NOT NULL, ends_at REAL NOT NULL)"""
_COUNT = """INSERT INTO counts VALUES (?, ?, ?)
            ON CONFLICT (key) DO UPDATE SET count = count + excluded.count RETURNING count"""


def storage_uri(app: Flask) -> str:
    """Return the storage URI of `app`."""
    return f"callytics-file://{quote(str(Path(app.instance_path) / 'sign_in_attempts.db'))}"


class SharedFile(Storage):
    """Counts in a small SQLite file; expired counts are deleted."""

    STORAGE_SCHEME = ["callytics-file"]  # noqa: RUF012 - declared so by the base class

    def __init__(self, uri: str, wrap_exceptions: bool = False, **_options: object) -> None:
        super().__init__(uri, wrap_exceptions)
        self._path = Path(unquote(urlsplit(uri).path))

    @property
    def base_exceptions(self) -> type[Exception]:
        """Exceptions that a broken file raises."""
        return sqlite3.Error

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add `amount` to a count; return it. A count expires `expiry` seconds after its first."""
        now = time.time()
        with self._file() as file:
            file.execute("DELETE FROM counts WHERE ends_at <= ?", (now,))
            return int(file.execute(_COUNT, (key, amount, now + expiry)).fetchone()[0])

    def give_back(self, key: str) -> None:
        """Take one off a count that has not expired."""
        with self._file() as file:
            file.execute("UPDATE counts SET count = count - 1 WHERE key = ? AND count > 0", (key,))

    def get(self, key: str) -> int:
        """Return a count."""
        return int(self._find(key)[0])

    def get_expiry(self, key: str) -> float:
        """Return the time at which a count expires, in seconds since 1970."""
        return float(self._find(key)[1])

    def check(self) -> bool:
        """Return True if the file can be used."""
        self._find("")
        return True

    def reset(self) -> int | None:
        """Delete all counts; return their number."""
        with self._file() as file:
            return file.execute("DELETE FROM counts").rowcount

    def clear(self, key: str) -> None:
        """Delete one count."""
        with self._file() as file:
            file.execute("DELETE FROM counts WHERE key = ?", (key,))

    def _find(self, key: str) -> tuple[int, float]:
        now = time.time()
        query = "SELECT count, ends_at FROM counts WHERE key = ? AND ends_at > ?"
        with self._file() as file:
            return file.execute(query, (key, now)).fetchone() or (0, now)

    @contextmanager
    def _file(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=5)
        try:
            with connection:
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute(_SCHEMA)
                connection.execute("BEGIN IMMEDIATE")
                yield connection
        finally:
            connection.close()
