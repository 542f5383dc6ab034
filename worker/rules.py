"""The flows and settings in force, also while the database is away."""

import logging

import gevent
from sqlalchemy.exc import DBAPIError

from callytics.flow_document import Document, DocumentError, current
from callytics.settings import SETTINGS, all_settings
from worker.outbox import Outbox

log = logging.getLogger(__name__)


class Rules:
    """What an administrator decided, as last read."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._document = Document()
        self._settings = {key: kind.default for key, kind in SETTINGS.items()}

    def document(self) -> Document:
        """The flow document for a call that begins now."""
        try:
            self._document = self._outbox.ask(current)
        except (gevent.Timeout, DBAPIError, DocumentError) as error:
            log.warning("the flows cannot be read (%s); the last ones known apply", error)
        return self._document

    def settings(self) -> dict[str, str]:
        """The settings of this moment."""
        try:
            self._settings = self._outbox.ask(all_settings)
        except (gevent.Timeout, DBAPIError) as error:
            log.warning("the settings cannot be read (%s); the last ones known apply", error)
        return self._settings
