"""Difference of two documents in words, and merge of two administrators' changes."""

import copy

import pytest
from hypothesis import given, strategies as st

from callytics.flows.diff import change_summary, changes
from callytics.flows.document import check
from callytics.flows.edits import insert, move, remove, rename_flow, rename_node, rename_queue
from callytics.flows.merge import both_changed, merged
from tests.flows.test_flow_document import DOCUMENT

BEFORE = check(DOCUMENT).model_dump()
VOICEMAIL = {"type": "voicemail", "greeting": "sound:vm-intro", "max_seconds": 120}
GOODBYE = {"type": "play_audio", "media": "sound:vm-goodbye"}
VOICEMAIL |= {"max_silence_seconds": 10, "next": None}


def main(document):
    return document["flows"]["main"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda d: d["flows"].pop("other"), ["Flow other is gone."]),
        (
            lambda d: d["flows"].update(new=copy.deepcopy(d["flows"]["main"])),
            ["Flow new is new: 2 numbers, 5 nodes."],
        ),
        (lambda d: rename_flow(d, "other", "sales"), ["Flow other is now called sales."]),
        (
            lambda d: main(d).update(numbers=["7"]),
            ["Flow main: its numbers are 7 (before: 1000, +4930123)."],
        ),
        (
            lambda d: main(d).update(start="desk"),
            ["Flow main: it starts with desk (before: greeting)."],
        ),
        (
            lambda d: rename_node(main(d), "desk", "front"),
            ["Flow main: node desk is now called front."],
        ),
        (
            lambda d: insert(main(d), "late", VOICEMAIL, "message"),
            [
                "Flow main: node message: then late (before: the call is hung up).",
                "Flow main: node late is new: voicemail, then the call is hung up.",
            ],
        ),
        (
            lambda d: remove(main(d), "team"),
            [
                "Flow main: node desk: then line (before: team).",
                "Flow main: node team is gone.",
            ],
        ),
        (
            # Fields of only one of the two types are not compared.
            lambda d: main(d)["nodes"].update(message={**GOODBYE, "next": "desk"}),
            [
                "Flow main: node message: its type is play audio (before: voicemail).",
                "Flow main: node message: then desk (before: the call is hung up).",
            ],
        ),
        (
            lambda d: main(d)["nodes"]["desk"].update(ring_seconds=60, record_call=False),
            [
                "Flow main: node desk: how long it rings: 1 min (before: 20 s).",
                "Flow main: node desk: its conversations are not recorded now.",
            ],
        ),
        (
            lambda d: d["queues"]["support"].update(members=["PJSIP/bob", "PJSIP/eve"]),
            ["Queue support: PJSIP/eve joined.", "Queue support: PJSIP/alice left."],
        ),
        (
            lambda d: d["queues"]["support"].update(strategy="ring_all"),
            [
                "Queue support: who is rung: all who are free, at once "
                "(before: whoever has been free the longest)."
            ],
        ),
        (
            lambda d: rename_queue(d, "support", "help"),
            [
                "Flow main: node line: the queue: help (before: support).",
                "Queue support is now called help.",
            ],
        ),
    ],
)
def test_each_change_is_told_in_a_sentence(change, told) -> None:
    after = copy.deepcopy(BEFORE)
    change(after)
    assert changes(BEFORE, after) == told
    assert changes(after, after) == []


def test_a_first_document_and_one_that_says_the_same_have_words_too() -> None:
    assert change_summary({}, BEFORE).splitlines()[0] == "Flow main is new: 2 numbers, 5 nodes."
    assert change_summary(BEFORE, copy.deepcopy(BEFORE)) == "Nothing changed."


def _some_change(draw, document) -> None:
    """Apply one random change, as the pages make them."""
    flow = main(document)
    node = draw(st.sampled_from(list(flow["nodes"])))
    which = draw(st.integers(0, 6))
    if which == 0:
        move(flow, node, draw(st.sampled_from([-1, 1])))
    elif which == 1 and len(flow["nodes"]) > 1:
        remove(flow, node)
    elif which == 2 and "new" not in flow["nodes"]:
        insert(flow, "new", VOICEMAIL, node)
    elif which == 3 and "called" not in flow["nodes"]:
        rename_node(flow, node, "called")
    elif which == 4:
        flow["numbers"] = draw(st.lists(st.sampled_from(["1", "2"]), unique=True))
    elif which == 5:
        document["queues"]["support"]["ring_seconds"] = draw(st.integers(1, 300))
    elif which == 6:
        document["flows"].pop("other", None)


@st.composite
def changed(draw):
    document = copy.deepcopy(BEFORE)
    for _ in range(draw(st.integers(0, 4))):
        _some_change(draw, document)
    return document


@given(changed(), changed())
def test_there_are_words_exactly_where_something_differs(one, other) -> None:
    assert (changes(one, other) == []) == (one == other)


@given(changed(), changed())
def test_nothing_of_two_sides_is_lost_where_they_touch_different_parts(mine, theirs) -> None:
    both = both_changed(BEFORE, mine, theirs)
    result = merged(BEFORE, mine, theirs)
    for kind in ("flows", "queues"):
        for name in {*BEFORE[kind], *mine[kind], *theirs[kind]}:
            was, my, their, got = (d[kind].get(name) for d in (BEFORE, mine, theirs, result))
            if (kind, name) in both:
                assert got == their
                assert merged(BEFORE, mine, theirs, [(kind, name)])[kind].get(name) == my
            else:
                assert got == (their if my == was else my)
                assert got == my or my == was


@given(changed())
def test_who_changed_alone_gets_what_they_changed(mine) -> None:
    assert merged(BEFORE, mine, BEFORE) == mine
    assert merged(BEFORE, BEFORE, mine) == mine
    assert both_changed(BEFORE, mine, mine) == []
