"""Calls in progress and pauses in every way they are looked at, and on paper."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from callytics.clock import utc_now
from callytics.recordings.facts import Facts
from callytics.recordings.pauses import PausedSpan
from tests.support.browser import (
    WAYS,
    focused,
    look,
    new_page,
    played,
    sign_in,
    wait_for_focus,
)
from tests.support.pbxs import record_heartbeat
from tests.support.shelf import Shelf
from tests.support.sounds import wav
from tests.support.waiting import wait_until

LONG_NAME = "A caller whose name goes on and on and does not come to an end "


def begin_call(shelf: Shelf, uid: str, node_type: str, **values: Any) -> datetime:
    """A call that goes on; the time is now."""
    now = utc_now()
    step = {"node": "desk", "type": node_type, "result": None, "ended_at": None}
    path = [{**step, "started_at": now.isoformat()}]
    given = {"started_at": now, "ended_at": None, "disposition": None, "path": path}
    shelf.add_call(uid, **{**given, **values})
    return now


def talk(shelf: Shelf, uid: str, *spans: PausedSpan, **facts: Any) -> Facts:
    """Two who talk and are recorded, perhaps paused."""
    now = begin_call(shelf, uid, "transfer", answered_at=utc_now(), callee="PJSIP/alice")
    given = {"uid": f"r-{uid}", "call_uid": uid, "node": "desk", "started_at": now}
    return shelf.add(None, **{**given, "state": "recording", "pauses": spans, **facts})


def fill(shelf: Shelf) -> Facts:
    """One of each, and the recording of a call that was paused and is over."""
    now = utc_now()
    with shelf.app.app_context():
        record_heartbeat("worker", now, now, "22.10.1")
    for node_type in ("play_audio", "hunt_group", "queue", "outbound"):
        begin_call(shelf, node_type, node_type, caller_name=LONG_NAME * 2)
    talk(shelf, "c1")
    talk(shelf, "c2", PausedSpan(now, "ada", 1000))
    talk(shelf, "c3", state="failed", state_reason="RECORDINGS_DIR: the disk is full")
    spans = [PausedSpan(now, "ada", at, now + timedelta(seconds=14), "rita") for at in (3000, 9000)]
    spans.append(PausedSpan(now, LONG_NAME, 20_000, now + timedelta(seconds=120), "", True))
    shelf.add_call("over", started_at=now, ended_at=now + timedelta(minutes=3))
    facts = {"call_uid": "over", "pauses": tuple(spans), "duration_ms": 20_000}
    return shelf.add(wav((20, True)), caller_name="Ann", started_at=now, **facts)


def test_every_state_can_be_used_in_every_way_they_are_looked_at(page, shelf):
    over = fill(shelf)
    sign_in(page)
    page.goto("/live")
    expect(page.locator("tbody")).to_have_count(7)
    look(page, WAYS, "live")
    for url in ("/calls/c2", "/recordings/r-c2", "/calls/over", f"/recordings/{over.uid}"):
        page.goto(url)
        look(page, WAYS, url)
    page.goto("/calls/c1")
    page.get_by_role("button", name="Pause recording").click()
    expect(page.locator("#problem")).to_contain_text("Not confirmed")
    look(page, WAYS, "a pause of a call that is not confirmed")
    page.goto("/live")
    page.get_by_role("button", name="Pause recording").click()
    expect(page.locator("#call-c1").get_by_role("alert")).to_contain_text("Not confirmed")
    look(page, WAYS, "a pause that is not confirmed")
    for uid in ("c1", "c2", "c3", "play_audio", "hunt_group", "queue", "outbound"):
        shelf.add_call(uid)
    expect(page.get_by_text("No call in progress")).to_be_visible()
    look(page, WAYS, "no call")


def test_time_goes_on_by_itself_and_by_the_clock_of_the_server(page: Page, shelf: Shelf) -> None:
    page.clock.install(time=utc_now() - timedelta(hours=5))
    begin_call(shelf, "c1", "queue", started_at=utc_now() - timedelta(seconds=100))
    sign_in(page)
    page.goto("/live")
    whole = page.locator(".whole .since")
    before = whole.inner_text()
    assert "01:40" <= before < "02:30"
    page.clock.run_for(5000)
    assert "01:45" <= whole.inner_text() < "02:40"


def test_news_of_one_call_leaves_the_others_and_the_focus_alone(page: Page, shelf: Shelf) -> None:
    talk(shelf, "c1", caller_name="Ann")
    sign_in(page)
    page.goto("/live")
    button = page.get_by_role("button", name="Pause recording of Ann")
    button.focus()
    page.locator("#call-c1 tr").evaluate("row => { row.dataset.mine = 'yes'; }")
    # A second call comes: the row of the first is the same element as before.
    begin_call(shelf, "c2", "queue")
    expect(page.locator("#call-c2")).to_contain_text("Waits in desk")
    expect(page.locator("#call-c1 tr")).to_have_attribute("data-mine", "yes")
    assert focused(page).startswith("Pause recording of Ann")
    # Somebody else pauses: the row is another, and the focus on the button that took its place.
    talk(shelf, "c1", PausedSpan(utc_now(), "rita", 1000), caller_name="Ann")
    expect(page.locator("#call-c1 .badge.paused")).to_have_text("Paused")
    wait_for_focus(page, "Resume recording of Ann to nobody")
    # It ends: the focus goes to the next row instead of nowhere.
    shelf.add_call("c1")
    expect(page.locator("#call-c1")).to_have_count(0)
    wait_for_focus(page, "5551234")


def test_a_mark_on_the_player_leads_to_its_place_also_on_the_page_of_the_call(
    page: Page, shelf: Shelf
) -> None:
    over = fill(shelf)
    sign_in(page)
    for url in (f"/recordings/{over.uid}", "/calls/over"):
        page.goto(url)
        expect(page.locator(".gaps > svg")).to_have_count(3)
        page.get_by_role("link", name="Go to 00:09").click()
        wait_until(lambda: played(page) >= 9, "it plays from there")
    # The mark stands where the pause is: at nine of twenty seconds.
    wave, mark = (page.locator(of).bounding_box() for of in (".wave", ".gaps > svg:nth-child(2)"))
    middle = mark["x"] + mark["width"] / 2
    assert middle == pytest.approx(wave["x"] + wave["width"] * 9 / 20, abs=3)


def test_pauses_stand_on_paper_and_without_javascript_too(browser, web, shelf):
    over = fill(shelf)
    with new_page(browser, web.url, java_script_enabled=False) as page:
        sign_in(page)
        page.goto(f"/recordings/{over.uid}")
        pauses = page.get_by_role("list", name="Pauses of Ann")
        for media in ("screen", "print"):
            page.emulate_media(media=media)
            expect(pauses.get_by_role("listitem").first).to_contain_text("Paused for 00:14 by ada")
