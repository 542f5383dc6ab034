"""Calls in a real Chromium: news, the way to a recording and its sound, and nobody kept out."""

from datetime import timedelta
from pathlib import Path

from playwright.sync_api import expect

from callytics.clock import utc_now
from tests.support.browser import (
    DARK,
    LIGHT,
    PHONE_DARK,
    PHONE_LIGHT,
    look,
    new_page,
    sign_in,
    wait_for_focus,
    wait_for_sound,
)
from tests.support.shelf import STARTED_AT, Shelf
from tests.support.tones import write_tone

WAIT = {"node": "desk", "type": "transfer", "result": None, "ended_at": None}


def add_talk(shelf: Shelf, uid: str, tmp_path: Path, **more):
    """A call that was recorded for half a minute, and its recording."""
    write_tone(tmp_path / "tone.wav", 440, 30)
    times = {"answered_at": STARTED_AT, "ended_at": STARTED_AT + timedelta(seconds=30)}
    step = {"node": "desk", "type": "transfer", "result": "answered"}
    step |= {"started_at": STARTED_AT.isoformat(), "ended_at": times["ended_at"].isoformat()}
    shelf.add_call(uid, callee="PJSIP/desk", path=[step], **times, **more)
    sound = (tmp_path / "tone.wav").read_bytes()
    return shelf.add(sound, call_uid=uid, node="desk", duration_ms=30_000, callee="PJSIP/desk")


def going_on(shelf: Shelf, uid: str) -> None:
    """A call that rings since now."""
    now = utc_now()
    step = {**WAIT, "started_at": now.isoformat()}
    shelf.add_call(uid, started_at=now, ended_at=None, disposition=None, path=[step])


def test_a_call_appears_by_itself_is_followed_and_its_recording_heard(
    browser, web, shelf, tmp_path
):
    with new_page(browser, web.url) as page:
        sign_in(page)
        page.get_by_role("link", name="Calls").click()
        expect(page.get_by_text("No calls yet")).to_be_visible()
        going_on(shelf, "c1")
        row = page.locator("#call-c1")
        expect(row).to_contain_text("In progress")
        row.locator(".time a").click()
        expect(page.get_by_text("This page follows it by itself.")).to_be_visible()
        shelf.add(None, uid="r1", call_uid="c1", node="desk", state="recording")
        link = page.get_by_role("link", name="Transfer recording")
        link.focus()
        wait_for_focus(page, "Transfer recording")
        # What is drawn anew while somebody is there keeps their place.
        shelf.add(None, uid="r1", call_uid="c1", node="desk", state="failed", state_reason="full")
        expect(page.locator("#rec-r1")).to_contain_text("full")
        wait_for_focus(page, "Transfer recording")
        add_talk(shelf, "c1", tmp_path)
        expect(page.get_by_text("Call ended")).to_be_visible()
        page.locator("audio").evaluate("audio => audio.play()")
        wait_for_sound(page)
        # Times are those of the browser, here in Berlin.
        expect(page.locator(".timeline .end")).to_contain_text("10:30:30")


def test_calls_are_filtered_and_walked_without_javascript(browser, web, shelf, tmp_path):
    kept = add_talk(shelf, "c1", tmp_path)
    shelf.add_call("c2", disposition="busy", problem="no room")
    with new_page(browser, web.url, java_script_enabled=False) as page:
        sign_in(page)
        page.get_by_role("link", name="Calls").click()
        page.get_by_role("link", name="Busy").click()
        expect(page).to_have_url("/calls?disposition=busy")
        expect(page.locator("tbody")).to_have_count(1)
        page.get_by_role("link", name="With a problem").click()
        expect(page).to_have_url("/calls?disposition=busy&problem=1")
        page.get_by_role("link", name="All", exact=True).click()
        page.get_by_role("link", name="With a problem").click()
        expect(page.locator("tbody")).to_have_count(2)
        page.get_by_role("link", name="Listen to Transfer").click()
        expect(page).to_have_url(f"/recordings/{kept.uid}")
        page.get_by_role("link", name="The whole call").click()
        expect(page).to_have_url("/calls/c1")
        expect(page.locator("audio")).to_be_visible()


def test_nothing_keeps_anybody_from_using_the_pages(page, shelf, tmp_path):
    add_talk(shelf, "c1", tmp_path, caller_name="A name that goes on for very, very long " * 3)
    shelf.add(None, call_uid="c1", node="desk", state="failed", state_reason="no room")
    for disposition in ("no_answer", "busy", "failed", "abandoned"):
        shelf.add_call(disposition, disposition=disposition, problem="in words")
    going_on(shelf, "c2")
    sign_in(page)
    for url in ("/calls", "/calls?disposition=answered&problem=1", "/calls/c1", "/calls/c2"):
        page.goto(url)
        look(page, (LIGHT, DARK, PHONE_LIGHT, PHONE_DARK), url)
