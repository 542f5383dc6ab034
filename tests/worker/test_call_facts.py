"""Call facts: cause, disposition and path of a call."""

import pytest

from worker.calls.call_facts import CallFacts, disposition_of, result_of


def facts() -> CallFacts:
    return CallFacts("inbound", "15550100", "Ann", "1000", "office", "22")


@pytest.mark.parametrize(
    ("disposition", "cause", "ended_with"),
    [
        ("answered", None, 16),
        ("abandoned", None, 16),
        ("busy", None, 17),
        ("no_answer", None, 19),
        ("failed", None, None),
        (None, None, None),
        # Asterisk knows better.
        ("answered", 38, 38),
        ("busy", 21, 21),
    ],
)
def test_a_call_without_a_cause_gets_the_usual_one(disposition, cause, ended_with):
    call = facts()
    call.disposition, call.hangup_cause = disposition, cause
    call.end()
    assert call.hangup_cause == ended_with
    assert call.ended_at is not None


@pytest.mark.parametrize(
    ("cause", "result"),
    [
        *((17, "busy"), (16, "no_answer"), (18, "no_answer"), (19, "no_answer")),
        *((21, "refused"), (0, "unreachable"), (38, "unreachable")),
    ],
)
def test_the_cause_says_why_a_leg_was_not_answered(cause, result):
    assert result_of(cause) == result


@pytest.mark.parametrize(
    ("result", "disposition"),
    [
        *(("answered", "answered"), ("busy", "busy"), ("abandoned", "abandoned")),
        *(("wait_over", "no_answer"), ("hung_up", "no_answer"), ("refused", "no_answer")),
        *(("unreachable", "failed"), ("unplayable", "failed")),
    ],
)
def test_the_result_of_the_last_node_is_the_disposition(result, disposition):
    assert disposition_of(result) == disposition


def test_a_node_is_left_once():
    call = facts()
    call.enter("desk", "transfer")
    assert call.open_node == "desk"
    call.leave("busy")
    call.leave("answered")
    assert call.open_node is None
    assert [step["result"] for step in call.path] == ["busy"]
