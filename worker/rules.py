"""The flows and settings in force, also while the database is away."""

import logging

import gevent
from sqlalchemy.exc import DBAPIError

from callytics.flow_document import Document, DocumentError, current
from worker.outbox import Outbox

log = logging.getLogger(__name__)


class Rules:
    """What an administrator decided, as last read."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._document = Document()

    def document(self) -> Document:
        """The flow document for a call that begins now."""
        try:
            self._document = self._outbox.ask(current)
        except (gevent.Timeout, DBAPIError, DocumentError) as error:
            log.warning("the flows cannot be read (%s); the last ones known apply", error)
        return self._document
