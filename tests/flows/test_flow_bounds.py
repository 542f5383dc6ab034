"""Bounds of a flow document: a large one is checked in linear time, and a larger one is refused."""

import json
import time

import pytest

from callytics.flows.document import MOST_MEMBERS, MOST_NUMBERS, parse
from callytics.flows.errors import MOST_ERRORS, DocumentError

NODES = {"a": {"type": "play_audio", "media": "sound:a"}}


def flow(numbers: list[str]) -> dict[str, object]:
    """A flow with these numbers."""
    return {"numbers": numbers, "start": "a", "nodes": NODES}


def refused(text: str) -> list[str]:
    """The errors of a document, told within a second."""
    before = time.process_time()
    with pytest.raises(DocumentError) as wrong:
        parse(text)
    assert time.process_time() - before < 1
    return wrong.value.errors


def test_a_flow_of_sixty_thousand_numbers_is_refused_in_words() -> None:
    text = json.dumps({"flows": {"main": flow([str(n) for n in range(60_000)])}})
    assert refused(text) == [f"flows.main.numbers: must be at most {MOST_NUMBERS}"]


def test_as_many_numbers_as_are_taken_are_checked_at_once() -> None:
    numbers = [str(n) for n in range(MOST_NUMBERS)]
    before = time.process_time()
    assert parse(json.dumps({"flows": {"main": flow(numbers)}})).flow_for("4999")
    assert time.process_time() - before < 0.1


def test_a_name_that_stands_twice_among_many_is_told_at_once() -> None:
    text = "{" + "".join(f'"k{n}": 1, ' for n in range(80_000)) + '"k79999": 1}'
    assert refused(text) == ["document: must be JSON (the name 'k79999' stands twice)"]


def test_the_first_errors_of_many_are_told() -> None:
    errors = refused(json.dumps({"flows": {"main": flow(["x"] * 5000)}}))
    assert len(errors) == MOST_ERRORS + 1
    assert errors[-1] == "document: has 4800 more errors"


def test_queues_have_a_bound_together() -> None:
    members = [f"PJSIP/{n}" for n in range(200)]
    queues = {f"q{n}": {"members": members} for n in range(MOST_MEMBERS // 200 + 1)}
    assert refused(json.dumps({"queues": queues})) == [
        f"queues: must have at most {MOST_MEMBERS} members in all"
    ]
