"""Flow pages of two administrators: conflicts, version history, and restoring a version."""

import re

import pytest
from sqlalchemy import update

from callytics.database.engine import db
from callytics.flows.models import FlowDocument
from tests.flows.test_flow_document import DOCUMENT, with_value
from tests.support.flow_pages import (
    draft_of,
    fields_of,
    publish_draft,
    published_document,
    seen,
    use_document,
)
from tests.support.pages import PageClient, text_of
from tests.support.shelf import Shelf

QUEUE = "/flows/queues/edit/support"
OTHER = "/flows/other/settings"


@pytest.fixture
def admin(shelf: Shelf) -> PageClient:
    use_document(shelf, DOCUMENT)
    return shelf.client("ada")


def bob_changes(shelf: Shelf, place: str = "queues.support.ring_seconds", value=99) -> None:
    use_document(shelf, with_value(place, value), "bob")


def ring(client: PageClient, seconds: int) -> None:
    client.send(QUEUE, {**fields_of(client.get(QUEUE)), "ring_seconds": str(seconds)})


def test_the_second_is_told_who_changed_what_and_nothing_is_overwritten(shelf, admin):
    ring(admin, 10)
    before = seen(admin.get("/flows"))
    bob_changes(shelf)
    answer = admin.send("/flows/draft", {"seen": before})
    assert answer.status_code == 409
    text = text_of(answer)
    assert "Your draft was not published, and nothing is lost." in text
    assert "bob" in text
    assert "Queue support: how long it rings: 99 s (before: 15 s)." in text
    assert "Queue support: how long it rings: 10 s (before: 15 s)." in text
    assert published_document(shelf).queues["support"].ring_seconds == 99
    for page in ("/flows", "/flows/main/"):
        shown = text_of(admin.get(page))
        assert "bob published other changes since you began." in shown
        assert not re.search(r"\bPublish\b", shown)


def test_both_are_kept_after_they_were_shown(shelf, admin):
    admin.send(OTHER, {**fields_of(admin.get(OTHER)), "numbers": "7"})
    bob_changes(shelf)
    page = admin.get("/flows/draft")
    assert (
        "both can be kept. To the published version, your draft then adds: Flow other"
        in text_of(page)
    )
    done = admin.send("/flows/draft/keep-both", {"seen": seen(page)}, follow_redirects=True)
    assert "Your draft holds both now." in text_of(done)
    publish_draft(admin)
    document = published_document(shelf)
    assert document.queues["support"].ring_seconds == 99
    assert document.flows["other"].numbers == ["7"]


@pytest.mark.parametrize(("tick", "seconds"), [("support", 10), (None, 99)])
def test_of_what_both_changed_one_is_kept_knowingly(shelf, admin, tick, seconds):
    ring(admin, 10)
    bob_changes(shelf)
    page = admin.get("/flows/draft")
    assert "You both changed the following." in text_of(page)
    form = {"seen": seen(page)} | ({"mine-queues": tick} if tick else {})
    done = admin.send("/flows/draft/keep-both", form, follow_redirects=True)
    if tick:
        publish_draft(admin)
    else:
        assert "It leaves nothing of your draft" in text_of(done)
        assert "Your draft" not in text_of(admin.get("/flows"))
    assert published_document(shelf).queues["support"].ring_seconds == seconds


def test_mine_can_be_publish_knowing_what_it_undoes(shelf, admin):
    ring(admin, 10)
    bob_changes(shelf)
    page = admin.get("/flows/draft")
    assert "Queue support: how long it rings: 10 s (before: 99 s)." in text_of(page)
    admin.send("/flows/draft", {"seen": seen(page)})
    assert published_document(shelf).queues["support"].ring_seconds == 10


def test_what_came_after_the_page_was_shown_is_shown_before_it_is_undone(shelf, admin):
    ring(admin, 10)
    bob_changes(shelf)
    before = seen(admin.get("/flows/draft"))
    bob_changes(shelf, "queues.support.ring_seconds", 98)
    answer = admin.send("/flows/draft", {"seen": before})
    assert answer.status_code == 409
    assert published_document(shelf).queues["support"].ring_seconds == 98
    admin.send("/flows/draft/keep-both", {"seen": before, "mine-queues": "support"})
    assert "bob published other changes since you began." in text_of(admin.get("/flows"))


@pytest.mark.parametrize("never", ["", "-1", "99", "9" * 40, "x"])
def test_a_form_that_saw_no_version_that_there_is_changes_nothing(shelf, admin, never):
    ring(admin, 10)
    bob_changes(shelf)
    draft = draft_of(admin)
    for url in ("/flows/draft", "/flows/draft/keep-both", "/flows/history/1/take-back"):
        assert admin.send(url, {"seen": never}).status_code == 409, url
    assert draft_of(admin) == draft
    assert published_document(shelf).queues["support"].ring_seconds == 99


def test_both_together_can_be_wrong_and_then_nothing_comes_in_force(shelf, admin):
    admin.send("/flows/other/settings", {**fields_of(admin.get(OTHER)), "numbers": "2000"})
    bob_changes(shelf, "flows.main.numbers", ["2000"])
    page = admin.get("/flows/draft")
    done = admin.send("/flows/draft/keep-both", {"seen": seen(page)}, follow_redirects=True)
    assert "2000 belongs to flow" in text_of(done)
    answer = admin.send("/flows/draft", {"seen": "2"})
    assert answer.status_code == 422
    assert published_document(shelf).flows["main"].numbers == ["2000"]


def test_a_draft_is_discarded_after_a_question(shelf, admin):
    ring(admin, 10)
    assert "Discard your draft?" in text_of(admin.get("/flows/draft/discard"))
    page = admin.send("/flows/draft/discard", follow_redirects=True)
    assert "Your draft is discarded." in text_of(page)
    assert draft_of(admin)["queues"]["support"]["ring_seconds"] == 15
    for url in ("/flows/draft", "/flows/draft/discard"):
        assert "You have no draft" in text_of(admin.get(url, follow_redirects=True))
    again = admin.send("/flows/draft", {"seen": "1"}, follow_redirects=True)
    assert "You have no draft" in text_of(again)


# History


def test_every_version_says_who_when_and_what_changed(shelf, admin):
    bob_changes(shelf)
    ring(admin, 10)
    publish_draft(admin)
    text = text_of(admin.get("/flows/history"))
    assert "Version 3 published ada" in text
    assert "how long it rings: 10 s (before: 99 s)." in text
    assert "Version 2 bob" in text
    page = admin.get("/flows/history/2")
    assert "What changed in it Queue support: how long it rings: 99 s (before: 15 s)." in text_of(
        page
    )
    # Diagrams of unchanged flows are shown on request only.
    assert "Picture of flow" not in text_of(page)
    assert "other flows in this version: main, other" in text_of(page)
    page = admin.get("/flows/history/2?flow=main")
    assert "Picture of flow main" in text_of(page)
    assert "/flows/main/nodes" not in page.get_data(as_text=True)
    assert text_of(admin.get("/flows/history/1")).count("Picture of flow") == 2


def test_a_version_is_taken_back_as_a_new_one(shelf, admin):
    bob_changes(shelf)
    page = admin.get("/flows/history/1/take-back")
    assert "Restore version 1?" in text_of(page)
    assert "how long it rings: 15 s (before: 99 s)." in text_of(page)
    done = admin.send("/flows/history/1/take-back", {"seen": seen(page)}, follow_redirects=True)
    assert "Version 1 is published again" in text_of(done)
    assert "Version 3 published ada" in text_of(done)
    assert published_document(shelf).queues["support"].ring_seconds == 15


def test_taking_back_undoes_nothing_unseen(shelf, admin):
    page = admin.get("/flows/history/1/take-back")
    bob_changes(shelf)
    answer = admin.send("/flows/history/1/take-back", {"seen": seen(page)})
    assert answer.status_code == 409
    assert "Somebody published other changes meanwhile." in text_of(answer)
    assert published_document(shelf).queues["support"].ring_seconds == 99


def test_a_version_that_is_not_usable_any_more_says_so(shelf, admin):
    bob_changes(shelf)
    with shelf.app.app_context(), db.engine.begin() as connection:
        wrong = with_value("queues.support.music", "a b")
        connection.execute(update(FlowDocument).where(FlowDocument.id == 1).values(document=wrong))
    page = admin.get("/flows/history/1/take-back")
    answer = admin.send("/flows/history/1/take-back", {"seen": seen(page)})
    assert "This version cannot be used any more: queues.support.music" in text_of(answer)


def test_a_long_history_has_pages(shelf, admin):
    for seconds in range(1, 60):
        bob_changes(shelf, "queues.support.ring_seconds", seconds)
    page = admin.get("/flows/history")
    assert "Version 60 published" in text_of(page)
    assert "Version 10 " not in text_of(page)
    older = admin.get("/flows/history?upto=10")
    assert "Version 10 " in text_of(older)
    for url in ("/flows/history?upto=x", f"/flows/history?upto={10**40}", "/flows/history?upto=-1"):
        assert admin.get(url).status_code == 200
    for url in (f"/flows/history/{10**40}", "/flows/history/0", "/flows/history/61"):
        assert admin.get(url).status_code == 404
