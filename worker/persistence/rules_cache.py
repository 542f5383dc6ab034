"""The flows and settings in force, also while the database is away."""

import json
import logging
from collections.abc import Callable
from typing import Any

import gevent
from gevent.lock import Semaphore
from sqlalchemy.exc import SQLAlchemyError

from callytics.flows.document import Document, DocumentError, check, current
from callytics.settings.settings import SETTINGS, all_settings
from callytics.storage.folder import Storage
from worker.persistence.outbox import Outbox, in_short
from worker.support.native_threads import Threads
from worker.support.throttled_log import Notices

log = logging.getLogger(__name__)

# Once in a worker's life, so it may take longer than what a call waits for.
RECALL_SECONDS = 5.0


class Rules:
    """What an administrator decided, as last read.

    It is kept beside the recordings, so that a worker that starts while the database is away
    takes calls like the one before it.
    """

    def __init__(self, outbox: Outbox, storage: Storage) -> None:
        self._outbox, self._storage = outbox, storage
        self._disk = Threads(1)
        self._document = Document()
        self._settings = {key: kind.default for key, kind in SETTINGS.items()}
        self._is_known = False
        self._recalling = Semaphore()
        self._notices = Notices(log)

    def refresh(self) -> None:
        """Learn both before the first call needs them: by then the database may be away."""
        self.document()
        self.settings()

    def document(self) -> Document:
        """The flow document for a call that begins now."""
        answer = self._ask(current)
        self._take(answer or self._document, self._settings)
        return self._document

    def settings(self) -> dict[str, str]:
        """The settings of this moment."""
        # Asked first: the other may become known while this one is waited for.
        answer = self._ask(all_settings)
        self._take(self._document, answer or self._settings)
        return self._settings

    def _ask(self, read: Callable[[], Any]) -> Any:
        """What the database says, or None."""
        with self._recalling:
            if not self._is_known:
                self._recall()
                self._is_known = True
        try:
            answer = self._outbox.ask(read)
        except (gevent.Timeout, SQLAlchemyError, DocumentError) as error:
            said = f"the flows and settings cannot be read ({in_short(error)})"
            self._notices.warn(f"{said}; the last ones known apply")
            return None
        self._notices.over("the flows and settings can be read again")
        return answer

    def _take(self, document: Document, settings: dict[str, str]) -> None:
        if (document, settings) != (self._document, self._settings):
            self._document, self._settings = document, settings
            kept = {"document": document.model_dump(), "settings": settings}
            self._disk.spawn(self._keep, json.dumps(kept).encode())

    def _keep(self, content: bytes) -> None:
        try:
            self._storage.keep_rules(content)
        except OSError as error:
            log.error("RECORDINGS_DIR: the flows are not kept for a restart: %s", error)

    def _recall(self) -> None:
        """Begin with what the worker before this one knew."""
        try:
            kept = json.loads(self._disk.ask(self._storage.kept_rules, seconds=RECALL_SECONDS))
            self._document = check(kept["document"])
            # A worker of an earlier version did not know them all.
            self._settings = {**self._settings, **kept["settings"]}
        except FileNotFoundError:
            return
        except (gevent.Timeout, OSError, ValueError, TypeError, KeyError, DocumentError) as error:
            log.warning("the flows that were kept cannot be read: %s", in_short(error))
