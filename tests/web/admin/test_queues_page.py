"""Queue page: waiting callers, members, and pausing a member."""

from datetime import timedelta

import pytest
from sqlalchemy import event

from callytics.audit.admin_changes import changes_of
from callytics.clock import utc_now
from callytics.database.engine import db
from callytics.flows import versions
from callytics.flows.document import check
from callytics.queues import membership
from tests.support.pages import HTMX, PageClient, text_of
from tests.support.pbxs import record_heartbeat
from tests.support.shelf import Shelf

ALICE, BOB = "PJSIP/alice", "Local/100@office/n"


@pytest.fixture
def ada(shelf: Shelf) -> PageClient:
    return shelf.client("ada")


def use_queues(shelf: Shelf, **members: list[str]) -> None:
    """Put these queues in force, with a live worker."""
    document = {"queues": {name: {"members": them} for name, them in members.items()}}
    with shelf.app.app_context():
        versions.save(check(document), "tests")
        record_heartbeat("w", utc_now() + timedelta(minutes=5), utc_now(), "22")


def test_a_reviewer_sees_no_queues_and_lets_nobody_rest(shelf):
    use_queues(shelf, team=[ALICE])
    rita = shelf.client("rita")
    assert rita.get("/queues").status_code == 403
    assert rita.send("/queues/team/pause", {"member": ALICE}).status_code == 403
    with shelf.app.app_context():
        assert membership.paused("team") == set()


def test_without_a_queue_the_page_says_how_to_get_one(ada):
    assert "No queues yet" in text_of(ada.get("/queues"))


def test_each_queue_tells_its_strategy_its_members_and_that_nobody_waits(shelf, ada):
    use_queues(shelf, team=[ALICE, BOB], night=[])
    text = text_of(ada.get("/queues"))
    assert "team Whoever has been free the longest, 15 s Nobody alice Free" in text
    assert "100 Free" in text
    assert "No members: nobody takes these calls" in text


def test_each_state_of_a_member_is_told_and_whom_they_talk_to(shelf, ada):
    use_queues(shelf, team=[ALICE, BOB, "PJSIP/carol", "PJSIP/dora", "PJSIP/eve"])
    now = utc_now()
    shelf.add_call("c1", caller_name="Ann", answered_at=now, ended_at=None)
    shelf.add_call("c2", caller_number="5559876", answered_at=None, ended_at=None)
    with shelf.app.app_context():
        membership.claim([ALICE], "c1", "w")
        membership.claim([BOB], "c2", "w")
        membership.claim(["PJSIP/dora"], "c3", "w")
        membership.release("PJSIP/dora", "c3", now, now + timedelta(minutes=1))
        membership.pause("team", ALICE, "ada")
        membership.pause("team", "PJSIP/carol", "ada")
    text = text_of(ada.get("/queues"))
    assert "alice Busy talks to Ann, then paused Resume" in text
    assert "100 Busy rings for 5559876 Pause" in text
    assert "carol Paused Resume" in text
    assert "dora Writing up Pause" in text
    assert "eve Free Pause" in text


def test_who_waits_is_told_with_since_when_the_longest_first(shelf, ada):
    use_queues(shelf, team=[ALICE], other=[ALICE])
    with shelf.app.app_context():
        since = utc_now()
        membership.enter("late", "team", "w", "5550002", since)
        membership.enter("early", "team", "w", "", since - timedelta(minutes=3))
    page = ada.get("/queues")
    text = text_of(page)
    longest = since - timedelta(minutes=3)
    assert "2 wait Unknown caller 03:00 5550002 00:00" in text
    assert f'data-since="{longest:%Y-%m-%dT%H:%M:%SZ}"' in page.get_data(as_text=True)
    assert text.count("Nobody") == 1


def test_a_member_rests_and_takes_calls_again_and_it_is_kept_who_said_so(shelf, ada):
    use_queues(shelf, team=[ALICE])
    assert ada.send("/queues/team/pause", {"member": ALICE}).location == "/queues"
    text = text_of(ada.get("/queues"))
    assert "alice takes no calls of team until resumed." in text
    assert "alice in team: from takes calls → to paused ada" in text
    answer = ada.send("/queues/team/resume", {"member": ALICE}, headers=HTMX)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert html.startswith('<div id="library"'), "htmx gets the table"
    assert "alice takes calls of team again." in html
    with shelf.app.app_context():
        assert membership.paused("team") == set()
        assert [c.username for c in changes_of("queue", 9)] == ["ada", "ada"]


@pytest.mark.parametrize(
    ("queue", "member"), [("nobody", ALICE), ("team", BOB), ("team", ""), ("<b>", "x")]
)
def test_who_is_no_member_cannot_rest_and_nothing_is_kept(shelf, ada, queue, member):
    use_queues(shelf, team=[ALICE])
    answer = ada.send(f"/queues/{queue}/pause", {"member": member})
    assert answer.status_code == 409
    assert "The flows were changed meanwhile." in text_of(answer)
    with shelf.app.app_context():
        assert changes_of("queue", 9) == []


def test_a_queue_that_is_the_same_costs_an_open_page_no_bytes(shelf, ada):
    use_queues(shelf, team=[ALICE])
    news = {**HTMX, "X-Callytics-Poll": "1"}
    first = ada.get("/queues", headers=news)
    same = ada.get("/queues", headers={**news, "If-None-Match": first.headers["ETag"]})
    assert same.status_code == 304
    with shelf.app.app_context():
        membership.enter("c1", "team", "w", "5550002", utc_now())
    other = ada.get("/queues", headers={**news, "If-None-Match": first.headers["ETag"]})
    assert other.status_code == 200
    assert "5550002" in other.get_data(as_text=True)


def test_many_queues_take_no_more_queries_than_one(shelf, ada):
    asked: list[str] = []
    with shelf.app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    def queries() -> int:
        asked.clear()
        assert ada.get("/queues").status_code == 200
        return len(asked)

    use_queues(shelf, team=[ALICE])
    one = queries()
    use_queues(shelf, **{f"team{number}": [ALICE, BOB] for number in range(20)})
    assert queries() == one
