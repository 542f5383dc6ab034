"""Drafts: one for each administrator, none of whom overwrites another's version unseen."""

import threading

import pytest
from flask import Flask

from callytics.database.engine import db
from callytics.flows import (
    drafts,
    versions,
)
from callytics.flows.document import check
from callytics.flows.drafts import NoDraftError
from callytics.flows.errors import DocumentError
from callytics.flows.versions import Overtaken
from callytics.people.users import add_user
from tests.flows.test_flow_document import DOCUMENT
from tests.support.shelf import PASSWORD, Shelf

ADA, BOB = 1, 2


@pytest.fixture
def app(any_env: dict[str, str]):
    app = Shelf.of(any_env).app
    with app.app_context():
        for name in ("ada", "bob"):
            add_user(name, "admin", PASSWORD, changed_by="tests")
        versions.save(check(DOCUMENT), "tests")
        yield app
        db.session.remove()


def ring(queue: str, seconds: int):
    """Return a change of the ring time of a queue."""

    def change(document) -> None:
        document["queues"][queue]["ring_seconds"] = seconds

    return change


def number(flow: str, *numbers: str):
    def change(document) -> None:
        document["flows"][flow]["numbers"] = list(numbers)

    return change


def test_a_draft_is_of_one_person_and_changes_nothing_in_force(app: Flask) -> None:
    drafts.edit(ADA, ring("support", 99))
    assert drafts.work_of(ADA).values["queues"]["support"]["ring_seconds"] == 99
    assert not drafts.work_of(BOB).is_draft
    assert versions.current() == check(DOCUMENT)
    drafts.discard(ADA)
    assert not drafts.work_of(ADA).is_draft


def test_a_draft_that_says_the_same_again_is_none(app: Flask) -> None:
    drafts.edit(ADA, ring("support", 99))
    drafts.edit(ADA, ring("support", 15))
    assert not drafts.work_of(ADA).is_draft


def test_what_is_publish_says_who_and_what_changed(app: Flask) -> None:
    drafts.edit(ADA, ring("support", 99))
    version = drafts.publish(ADA, "ada", seen=1)
    (newest, first) = versions.versions()
    assert (newest.id, newest.saved_by) == (version, "ada")
    assert newest.said == "Queue support: how long it rings: 99 s (before: 15 s)."
    assert first.saved_by == "tests"
    assert versions.current().queues["support"].ring_seconds == 99
    assert not drafts.work_of(ADA).is_draft
    with pytest.raises(NoDraftError):
        drafts.publish(ADA, "ada", seen=version)


def test_an_unfinished_draft_does_not_come_in_force_and_stays(app: Flask) -> None:
    drafts.edit(ADA, lambda document: document["flows"]["main"]["nodes"].clear())
    with pytest.raises(DocumentError):
        drafts.publish(ADA, "ada", seen=1)
    assert drafts.work_of(ADA).is_draft
    assert versions.current() == check(DOCUMENT)


def test_the_second_of_two_changes_nothing_unseen(app: Flask) -> None:
    drafts.edit(ADA, ring("support", 99))
    drafts.edit(BOB, ring("support", 10))
    drafts.publish(BOB, "bob", seen=1)
    with pytest.raises(Overtaken):
        drafts.publish(ADA, "ada", seen=1)
    assert versions.current().queues["support"].ring_seconds == 10
    assert drafts.work_of(ADA).values["queues"]["support"]["ring_seconds"] == 99
    # Ada has seen version 2, and overwrites it.
    drafts.publish(ADA, "ada", seen=2)
    assert versions.current().queues["support"].ring_seconds == 99


def test_both_are_kept_where_they_touch_different_parts(app: Flask) -> None:
    drafts.edit(ADA, number("other", "7"))
    drafts.edit(BOB, ring("support", 10))
    drafts.publish(BOB, "bob", seen=1)
    drafts.keep_both(ADA, seen=2, mine=())
    drafts.publish(ADA, "ada", seen=2)
    document = versions.current()
    assert document.queues["support"].ring_seconds == 10
    assert document.flows["other"].numbers == ["7"]


@pytest.mark.parametrize("mine", [True, False])
def test_of_a_part_that_both_changed_one_side_is_kept_as_chosen(app: Flask, mine: bool) -> None:
    drafts.edit(ADA, ring("support", 99))
    drafts.edit(ADA, number("other", "7"))
    drafts.edit(BOB, ring("support", 10))
    drafts.publish(BOB, "bob", seen=1)
    drafts.keep_both(ADA, seen=2, mine=[("queues", "support")] if mine else [])
    drafts.publish(ADA, "ada", seen=2)
    document = versions.current()
    assert document.queues["support"].ring_seconds == (99 if mine else 10)
    assert document.flows["other"].numbers == ["7"]


def test_of_two_in_the_same_instant_exactly_one_wins(app: Flask) -> None:
    for turn in range(1, 6):
        people = [(ADA, "ada", 20 + turn), (BOB, "bob", 40 + turn)]
        for who, _, seconds in people:
            drafts.edit(who, ring("support", seconds))
        ready, results = threading.Barrier(2), []

        def put(who: int, name: str, turn=turn, ready=ready, results=results) -> None:
            with app.app_context():
                ready.wait()
                try:
                    drafts.publish(who, name, seen=turn)
                    results.append(name)
                except Overtaken:
                    results.append("told")

        threads = [threading.Thread(target=put, args=person[:2]) for person in people]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (winner,) = (name for name in results if name != "told")
        assert sorted(results) == sorted([winner, "told"])
        newest = versions.newest()
        assert (newest.id, newest.row.saved_by) == (turn + 1, winner)
        drafts.discard(ADA)
        drafts.discard(BOB)


def test_two_edits_of_one_draft_in_the_same_instant_are_both_kept(app: Flask) -> None:
    changes = [ring("support", 77), number("other", "7"), number("main", "8")]
    ready = threading.Barrier(len(changes))

    def edit(change) -> None:
        with app.app_context():
            ready.wait()
            drafts.edit(ADA, change)

    threads = [threading.Thread(target=edit, args=(change,)) for change in changes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    values = drafts.work_of(ADA).values
    assert values["queues"]["support"]["ring_seconds"] == 77
    assert [values["flows"][name]["numbers"] for name in ("other", "main")] == [["7"], ["8"]]
