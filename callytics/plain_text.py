"""Plain text of one line, made of what SIP, Asterisk, files and programs say."""

import logging


def one_line(text: str) -> str:
    """Return `text` with spaces for control characters, without NUL, and a ? for no character.

    A caller chooses name and number freely, and both reach rows, files, logs and terminals.
    """
    if text.isprintable():
        return text
    valid = text.replace("\0", "").encode(errors="replace").decode()
    return "".join(c if c.isprintable() else " " for c in valid)


class OneLineFormatter(logging.Formatter):
    """Log format in which a message cannot begin a line of its own or control a terminal.

    The lines of a traceback are indented, so none of them passes for an entry either.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line of a message, its control characters written as escapes."""
        return "".join(map(_escaped, super().formatMessage(record)))

    def formatException(self, ei: object) -> str:
        """Return an indented traceback."""
        return _indented(super().formatException(ei))  # type: ignore[arg-type]  # as logging calls it

    def formatStack(self, stack_info: str) -> str:
        """Return an indented stack."""
        return _indented(super().formatStack(stack_info))


def _indented(text: str) -> str:
    lines = ("".join(map(_escaped, line)) for line in text.splitlines())
    return "\n".join(f"  {line}" for line in lines)


def _escaped(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape", "backslashreplace").decode("ascii")
