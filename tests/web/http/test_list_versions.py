"""ETags of lists: equal while the table is the same, different whenever it would differ."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, update

from callytics.clock import utc_now
from callytics.database.engine import db
from callytics.database.transactions import writing
from callytics.pbx import heartbeat
from callytics.pbx.models import Pbx
from callytics.queues import membership
from callytics.search.engine import Count
from callytics.web.recordings import library_list, pages
from tests.support.flow_pages import use_document
from tests.support.pages import HTMX, PageClient, text_of
from tests.support.pbxs import record_heartbeat
from tests.support.shelf import STARTED_AT, Shelf
from tests.support.waiting import wait_until

POLL = {**HTMX, "X-Callytics-Poll": "1"}
LISTS = ("/recordings", "/recordings?q=ann", "/calls", "/live")


@pytest.fixture
def rita(shelf: Shelf) -> PageClient:
    """A reviewer, while a worker is well."""
    tell_worker(shelf)
    return shelf.client("rita")


def tell_worker(shelf: Shelf, seconds_ago: float = -300) -> None:
    """Let the worker have reported so long ago."""
    with shelf.app.app_context():
        now = utc_now()
        record_heartbeat("w", now, now, "22.10.1")
        with writing() as connection:
            seen_at = now - timedelta(seconds=seconds_ago)
            connection.execute(update(Pbx).values(seen_at=seen_at))


def etag_of(client: PageClient, url: str) -> str:
    return client.get(url, headers=POLL).headers["ETag"]


def poll(client: PageClient, url: str, etag: str) -> int:
    """Ask as an open page does that has the table with this ETag."""
    return client.get(url, headers={**POLL, "If-None-Match": etag}).status_code


@contextmanager
def queries(shelf: Shelf) -> Iterator[list[str]]:
    """The statements that are sent to the database meanwhile."""
    sent: list[str] = []

    def note(*given: object) -> None:
        sent.append(str(given[2]))

    with shelf.app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("url", LISTS)
def test_a_poll_costs_no_query_until_somebody_writes(shelf: Shelf, rita, url: str) -> None:
    shelf.add(None, caller_name="Ann")
    etag = etag_of(rita, url)
    with queries(shelf) as sent:
        assert poll(rita, url, etag) == 304
    assert sent == []


@pytest.mark.parametrize("url", LISTS)
def test_a_write_that_changes_nothing_in_the_table_is_no_news(shelf, rita, url) -> None:
    shelf.add(None, caller_name="Ann")
    etag = etag_of(rita, url)
    tell_worker(shelf)
    assert poll(rita, url, etag) == 304


@pytest.mark.parametrize("url", LISTS)
def test_a_session_that_was_ended_gets_no_answer_to_its_poll(shelf, rita, url) -> None:
    """The sign-in check comes before everything that is remembered."""
    etag = etag_of(rita, url)
    assert poll(rita, url, etag) == 304
    assert poll(shelf.app.test_client(), url, etag) == 401


@pytest.mark.parametrize("url", [*LISTS, "/queues"])
def test_a_worker_that_falls_silent_is_news_without_a_write(shelf, url) -> None:
    tell_worker(shelf, heartbeat.WORKER_SILENT_SECONDS - 2)
    ada = shelf.client("ada")
    etag = etag_of(ada, url)
    assert poll(ada, url, etag) == 304
    wait_until(lambda: poll(ada, url, etag) == 200, "the banner is news")
    assert "The worker is not running." in text_of(ada.get(url, headers=POLL))


def test_a_role_sees_its_own_table(shelf: Shelf, rita: PageClient) -> None:
    shelf.add(None, state="failed")
    etag = etag_of(rita, "/recordings")
    assert poll(rita, "/recordings", etag) == 304
    assert poll(shelf.client("ada"), "/recordings", etag) == 200


def test_a_day_that_ends_is_news_without_a_write(shelf, rita, monkeypatch) -> None:
    today = utc_now()
    shelf.add(None, started_at=today)
    etag = etag_of(rita, "/recordings?when=today")
    assert poll(rita, "/recordings?when=today", etag) == 304
    monkeypatch.setattr(pages, "utc_now", lambda: today + timedelta(days=1))
    assert poll(rita, "/recordings?when=today", etag) == 200


def test_a_count_that_became_known_is_news_without_a_write(shelf, rita, monkeypatch) -> None:
    """Somebody counts further in a request of their own, which writes nothing."""
    shelf.add(None, caller_name="Ann")
    few = Count(1, exact=False)
    search = library_list.find
    monkeypatch.setattr(library_list, "find", lambda *asked: _with_count(search(*asked), few))
    etag = etag_of(rita, "/recordings?q=ann")
    assert poll(rita, "/recordings?q=ann", etag) == 304
    monkeypatch.setattr(pages, "known_count", lambda _filters: Count(1, exact=True))
    assert poll(rita, "/recordings?q=ann", etag) == 200


def _with_count(page, count: Count):
    return type(page)(page.rows, page.newer, page.older, count, page.cut_short)


def test_a_wrap_up_that_ends_is_news_without_a_write(shelf: Shelf) -> None:
    use_document(shelf, {"queues": {"team": {"members": ["PJSIP/alice"]}}})
    tell_worker(shelf)
    ada = shelf.client("ada")
    with shelf.app.app_context():
        now = utc_now()
        membership.claim(["PJSIP/alice"], "c1", "w")
        membership.release("PJSIP/alice", "c1", now, now + timedelta(seconds=2))
    etag = etag_of(ada, "/queues")
    wait_until(lambda: poll(ada, "/queues", etag) == 200, "the member is free")


def test_a_time_that_grows_is_no_news(shelf: Shelf, rita: PageClient) -> None:
    """The browser counts on from `data-since`."""
    shelf.add_call("c1", ended_at=None, disposition=None, started_at=utc_now())
    etag = etag_of(rita, "/live")
    first = text_of(rita.get("/live", headers=POLL))
    wait_until(lambda: text_of(rita.get("/live", headers=POLL)) != first, "the time grows")
    assert poll(rita, "/live", etag) == 304


def test_a_page_says_the_time_of_its_own_making(shelf: Shelf, rita: PageClient) -> None:
    """From it the browser knows how far its clock is off."""

    def now_of_page() -> str:
        found = re.search(r'data-now="([^"]+)"', rita.get("/live").text)
        assert found
        return found[1]

    now_of_page()
    first = now_of_page()
    wait_until(lambda: now_of_page() != first, "the page says another time")


def test_a_long_text_counts_to_its_middle(shelf: Shelf, rita: PageClient) -> None:
    """A row of SQLAlchemy leaves out the middle of a long text where it says what it is."""
    call = {"started_at": STARTED_AT, "ended_at": None, "disposition": None}
    shelf.add_call("c1", caller_name=f"{'a' * 400}b{'a' * 400}", **call)
    etags = {url: etag_of(rita, url) for url in ("/calls", "/live")}
    shelf.add_call("c1", caller_name=f"{'a' * 400}c{'a' * 400}", **call)
    assert {url: poll(rita, url, etag) for url, etag in etags.items()} == {
        "/calls": 200,
        "/live": 200,
    }


def test_the_page_around_the_table_is_each_persons_own(shelf: Shelf, rita: PageClient) -> None:
    ada = shelf.client("ada")
    for _ in range(2):  # the second time from memory
        for client, name in ((rita, "rita"), (ada, "ada")):
            page = client.get("/recordings")
            assert f"Signed in as {name}" in text_of(page)
            assert ("/users" in page.text) == (name == "ada")


def test_a_saved_search_is_on_the_page_at_once_and_what_was_said_only_once(shelf, rita) -> None:
    for _ in range(2):
        rita.get("/recordings")
    rita.send("/searches", {"name": "Long waits", "query": ""})
    page = text_of(rita.get("/recordings"))
    assert "Long waits" in page and "Saved as Long waits." in page
    page = text_of(rita.get("/recordings"))
    assert "Long waits" in page and "Saved as Long waits." not in page
