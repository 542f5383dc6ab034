"""Says, as long as it is so, that the recordings' folder cannot be used."""

import logging

import gevent

from callytics.storage import Storage
from worker.notices import Notices
from worker.threads import Threads

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0


class Folder:
    """RECORDINGS_DIR as the worker finds it. Calls go on without; waiting can help."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._threads = Threads(1)
        self._notices = Notices(log)

    def run(self) -> None:
        """Look again and again."""
        while True:
            problem = self._threads.spawn(self._storage.recording_problem).get()
            if problem:
                self._notices.warn(problem)
            else:
                self._notices.over("RECORDINGS_DIR: the folder can be used again")
            gevent.sleep(LOOK_SECONDS)
