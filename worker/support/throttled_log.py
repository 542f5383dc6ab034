"""Log throttle: a lasting problem is logged once a minute instead of once a second."""

from logging import Logger
from time import monotonic

REPEAT_SECONDS = 60.0


class ThrottledLog:
    """Log of one problem at a time, and of its end."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._sentence = ""
        self._logged_at = 0.0

    def problem(self, sentence: str) -> None:
        """Log a problem, unless the same sentence was logged less than a minute ago."""
        if sentence != self._sentence or monotonic() - self._logged_at >= REPEAT_SECONDS:
            self._log.warning("%s; trying again", sentence)
            self._sentence, self._logged_at = sentence, monotonic()

    def waiting(self, sentence: str) -> None:
        """Log once that something is waited for, which is no problem."""
        if sentence != self._sentence:
            self._log.info("%s", sentence)
            self._sentence = sentence

    def recovered(self, sentence: str, always: bool = False) -> None:
        """Log the end of the problem; without a problem only if `always`."""
        if self._sentence or always:
            self._log.info("%s", sentence)
            self._sentence = ""
