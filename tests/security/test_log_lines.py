"""Log lines: what a message or an error says begins no line of its own and controls no terminal."""

import logging

import pytest

from callytics.plain_text import OneLineFormatter, one_line
from callytics.recordings.facts import Facts
from tests.support.shelf import STARTED_AT

FORGED = "x\n2026-11-25 INFO forged\r\x1b[2J\u2028\u202e\x00\x7f\udcff"


def entry(message: str, *args: object, error: Exception | None = None) -> str:
    """A log entry as a process writes it."""
    record = logging.LogRecord("callytics", logging.INFO, "", 1, message, args, None)
    if error is not None:
        record.exc_info = (type(error), error, error.__traceback__)
    return OneLineFormatter("%(levelname)s %(message)s").format(record)


def test_a_message_stays_on_its_line() -> None:
    said = entry("call of %s", FORGED)
    assert said.isprintable()
    assert said.startswith(r"INFO call of x\n2026-11-25 INFO forged\r\x1b[2J")


def test_an_error_begins_no_line_at_the_left_margin() -> None:
    try:
        raise ValueError(FORGED)
    except ValueError as error:
        first, *others = entry("failed", error=error).splitlines()
    assert first == "INFO failed"
    assert all(line.startswith("  ") and line.isprintable() for line in others)
    assert any("2026-11-25 INFO forged" in line for line in others)


@pytest.mark.parametrize("name", ["caller_name", "caller_number", "dialed_number", "state_reason"])
def test_facts_of_a_recording_hold_no_control_character(name: str) -> None:
    facts = Facts("u", "transfer", "inbound", "available", STARTED_AT, "wav", **{name: FORGED})
    assert getattr(facts, name) == one_line(FORGED) == "x 2026-11-25 INFO forged  [2J   ?"
    assert getattr(Facts.from_json(facts.to_json()), name) == one_line(FORGED)
