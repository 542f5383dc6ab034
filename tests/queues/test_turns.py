"""Turns of callers over all PBXs: who waits longer and who is busy elsewhere, in SQL."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from callytics.clock import utc_now
from callytics.queues import membership, turns
from tests.support.apps import new_app
from tests.support.pbxs import record_heartbeat

ALICE, BOB = "PJSIP/alice", "PJSIP/bob"
EARLY, LATE = utc_now() - timedelta(minutes=2), utc_now() - timedelta(minutes=1)


@pytest.fixture
def app(any_env: dict[str, str]) -> Iterator[Flask]:
    """Yield an app with two PBXs; at each a caller waits for the same team."""
    app = new_app(any_env)
    with app.app_context():
        for pbx, since in (("one", EARLY), ("two", LATE)):
            record_heartbeat(pbx, utc_now(), utc_now(), "22")
            membership.enter(f"call-{pbx}", "team", pbx, "15550100", since)
        yield app


def is_behind(pbx: str, queue: str = "team") -> bool:
    since = {"one": EARLY, "two": LATE}[pbx]
    return turns.turn_of(queue, [ALICE], pbx, since).is_behind


def test_the_caller_who_waits_longest_is_first_whatever_the_pbx(app: Flask) -> None:
    assert (is_behind("one"), is_behind("two")) == (False, True)
    assert not is_behind("two", "sales")
    membership.leave("call-one")
    assert not is_behind("two")


def test_a_caller_for_whom_members_ring_lets_others_pass(app: Flask) -> None:
    turns.set_ringing("call-one", True)
    assert not is_behind("two")
    turns.set_ringing("call-one", False)
    assert is_behind("two")


def test_a_member_who_talks_at_another_pbx_is_busy(app: Flask) -> None:
    membership.claim([ALICE], "call-one", "one")

    def busy(pbx: str) -> frozenset[str]:
        return turns.turn_of("team", [ALICE, BOB], pbx, LATE).busy_elsewhere

    assert busy("two") == {ALICE}
    # What this PBX's own members do, its worker knows better.
    assert busy("one") == frozenset()
    membership.release(ALICE, "call-one", LATE, LATE)
    assert busy("two") == frozenset()
    assert turns.turn_of("team", [ALICE], "two", LATE).idle == {ALICE: (LATE, LATE)}


def test_a_pbx_that_is_gone_is_in_nobodys_way(app: Flask) -> None:
    membership.enter("call-gone", "team", "gone", "15550101", EARLY - timedelta(minutes=1))
    assert not is_behind("one")
    membership.claim([BOB], "call-gone", "gone")
    assert turns.turn_of("team", [BOB], "one", EARLY).busy_elsewhere == frozenset()
