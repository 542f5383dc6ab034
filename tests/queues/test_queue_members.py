"""Queue membership shared by all workers of a database, on both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from flask import Flask

from callytics.clock import utc_now
from callytics.flows import versions
from callytics.flows.document import check
from callytics.queues import membership, overview
from tests.support.apps import new_app
from tests.support.pbxs import record_heartbeat

MEMBER = "PJSIP/alice"
OTHER = "PJSIP/bob"


@pytest.fixture
def app(any_env: dict[str, str]) -> Iterator[Flask]:
    """Yield an app with two live workers."""
    app = new_app(any_env)
    with app.app_context():
        for worker in ("one", "two"):
            record_heartbeat(worker, utc_now(), utc_now(), "22")
        yield app


def test_a_member_is_claimed_by_one_call_at_a_time(app: Flask) -> None:
    assert membership.claim([MEMBER, OTHER], "call-1", "one") == [MEMBER, OTHER]
    assert membership.claim([MEMBER], "call-2", "two") == []
    membership.release(MEMBER, "call-1")
    assert membership.claim([MEMBER, OTHER], "call-2", "two") == [MEMBER]


def test_of_many_calls_that_want_a_member_at_once_one_gets_them(app: Flask) -> None:
    def claim(number: int) -> list[str]:
        with app.app_context():
            return membership.claim([MEMBER], f"call-{number}", ("one", "two")[number % 2])

    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(claim, range(24)))
    assert sum(map(bool, taken)) == 1


def test_a_call_may_claim_its_own_member_again(app: Flask) -> None:
    membership.claim([MEMBER], "call-1", "one")
    assert membership.claim([MEMBER], "call-1", "one") == [MEMBER]


def test_another_call_cannot_release_a_member(app: Flask) -> None:
    membership.claim([MEMBER], "call-1", "one")
    membership.release(MEMBER, "call-2")
    assert membership.claim([MEMBER], "call-2", "two") == []


def test_a_worker_that_died_for_good_holds_nobody(app: Flask) -> None:
    membership.claim([MEMBER], "call-1", "a worker that never reported")
    assert membership.claim([MEMBER], "call-2", "two") == [MEMBER]


def test_a_worker_that_comes_back_lets_go_of_calls_it_no_longer_leads(app: Flask) -> None:
    membership.claim([MEMBER], "call-1", "one")
    membership.claim([OTHER], "call-2", "one")
    membership.enter("call-3", "team", "one", "15550100", utc_now())
    membership.let_go_of_others("one", ["call-2"])
    assert membership.claim([MEMBER, OTHER], "call-9", "two") == [MEMBER]
    assert membership.waiting("team") == []


def test_idle_time_and_wrap_up_are_kept_for_all_workers(app: Flask) -> None:
    ended_at = utc_now()
    membership.claim([MEMBER], "call-1", "one")
    membership.release(MEMBER, "call-1", ended_at, ended_at + timedelta(seconds=30))
    assert membership.idle_since([MEMBER, OTHER]) == {
        MEMBER: (ended_at, ended_at + timedelta(seconds=30))
    }
    assert overview.member_states("team", [MEMBER, OTHER]) == {MEMBER: "wrapping up", OTHER: "free"}


def test_only_a_member_of_a_queue_that_there_is_can_be_paused(app: Flask) -> None:
    document = check({"queues": {"team": {"members": [MEMBER]}}})
    versions.save(document, "tests")
    membership.pause("team", MEMBER, "ada")
    membership.pause("team", MEMBER, "ada")
    assert membership.paused("team") == {MEMBER}
    membership.resume("team", MEMBER, "ada")
    assert membership.paused("team") == set()
    for queue, member in (("nobody", MEMBER), ("team", OTHER)):
        with pytest.raises(membership.QueueError, match=r"there is no queue|members are"):
            membership.pause(queue, member, "ada")
