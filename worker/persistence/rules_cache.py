"""Cache of the flow document and the settings in force, usable while the database is away.

Every answer of the database is also saved beside the recordings, so that a worker that starts
while the database is away takes calls by the same flows as the one before it.
"""

import json
import logging
from collections.abc import Callable
from typing import TypeVar

import gevent
from gevent.lock import Semaphore
from sqlalchemy.exc import SQLAlchemyError

from callytics.flows.document import Document, check
from callytics.flows.errors import DocumentError
from callytics.flows.versions import current
from callytics.settings.settings import SETTINGS, SettingError, all_settings, check_setting
from callytics.storage.folder import Storage
from worker.persistence.outbox import Outbox, driver_message
from worker.support.native_threads import NativeThreads
from worker.support.throttled_log import ThrottledLog

log = logging.getLogger(__name__)

T = TypeVar("T")

# Hidden, so that the walk of the recordings skips it.
FOLDER = ".rules"
# The file of a worker from before PBXs had names.
OLD_PATH = f"{FOLDER}/last.json"
# Once in a worker's life, so it may take longer than a call waits for the database.
LOAD_SECONDS = 5.0
# A file that someone made very large must not fill the memory.
LARGEST_BYTES = 16 << 20


# Errors of a file that cannot be read, or that no version of this program wrote.
_UNUSABLE = (
    *(gevent.Timeout, OSError, DocumentError, SettingError),
    *(ValueError, LookupError, TypeError, AttributeError, RecursionError),
)


class RulesCache:
    """Flow document and settings as last read from the database, or from disk before that."""

    def __init__(self, outbox: Outbox, storage: Storage, pbx: str) -> None:
        self._outbox, self._storage = outbox, storage
        self._path = f"{FOLDER}/{pbx}.json"
        self._disk = NativeThreads(1)
        self._document = Document()
        self._settings = {key: kind.default for key, kind in SETTINGS.items()}
        self._is_loaded = False
        self._loading = Semaphore()
        self._log = ThrottledLog(log)

    def refresh(self) -> None:
        """Read both before the first call needs them: by then the database may be away."""
        self.document()
        self.settings()

    def document(self) -> Document:
        """Return the flow document for a call that begins now."""
        answer = self._read(current)
        self._store(answer or self._document, self._settings)
        return self._document

    def settings(self) -> dict[str, str]:
        """Return the settings as they are now."""
        # Read first: the document may change while this greenlet waits for the settings.
        answer = self._read(all_settings)
        self._store(self._document, answer or self._settings)
        return self._settings

    def _read(self, read: Callable[[], T]) -> T | None:
        """Return the database's answer, or None if it does not give one in time."""
        with self._loading:
            if not self._is_loaded:
                self._load()
                self._is_loaded = True
        try:
            answer = self._outbox.call(read)
        except (gevent.Timeout, SQLAlchemyError, DocumentError) as error:
            problem = f"the flows and settings cannot be read ({driver_message(error)})"
            self._log.problem(f"{problem}; the last ones known apply")
            return None
        self._log.recovered("the flows and settings can be read again")
        return answer

    def _store(self, document: Document, settings: dict[str, str]) -> None:
        if (document, settings) != (self._document, self._settings):
            self._document, self._settings = document, settings
            saved = {"document": document.model_dump(), "settings": settings}
            self._disk.spawn(self._save, json.dumps(saved).encode())

    def _save(self, content: bytes) -> None:
        try:
            self._storage.write(self._path, content)
        except OSError as error:
            log.error("RECORDINGS_DIR: the flows are not kept for a restart: %s", error)

    def _load(self) -> None:
        """Start with what the previous worker had read."""
        try:
            saved = json.loads(self._disk.call(LOAD_SECONDS, self._saved))
            document, settings = check(saved["document"]), saved["settings"]
            # Merged, because a worker of an earlier version did not know every setting.
            known = {key: check_setting(key, settings[key]) for key in SETTINGS if key in settings}
            self._document, self._settings = document, {**self._settings, **known}
        except FileNotFoundError:
            return
        except _UNUSABLE as error:
            log.warning("the flows that were kept cannot be read: %s", driver_message(error))

    def _saved(self) -> bytes:
        try:
            return self._storage.read(self._path, LARGEST_BYTES)
        except FileNotFoundError:
            return self._storage.read(OLD_PATH, LARGEST_BYTES)
