"""Says a lasting trouble once a minute, not once a second, and says when it is over."""

from logging import Logger
from time import monotonic

REPEAT_SECONDS = 60.0


class Notices:
    """One trouble at a time, as its last sentence."""

    def __init__(self, log: Logger) -> None:
        self._log = log
        self._said = ""
        self._said_at = 0.0

    def warn(self, sentence: str) -> None:
        """Log `sentence`, unless the same was logged less than a minute ago."""
        if sentence != self._said or monotonic() - self._said_at >= REPEAT_SECONDS:
            self._log.warning("%s; trying again", sentence)
            self._said, self._said_at = sentence, monotonic()

    def good(self, sentence: str) -> None:
        """Log that it works now."""
        self._log.info("%s", sentence)
        self._said = ""

    def over(self, sentence: str) -> None:
        """Log that the trouble is over, if there was one."""
        if self._said:
            self.good(sentence)
