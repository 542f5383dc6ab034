"""Every state of the pages in every way they are looked at: nothing keeps anybody from using it."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect

from callytics.clock import utc_now
from callytics.recordings import notes
from callytics.recordings.facts import Facts
from tests.support.browser import WAYS, look, sign_in, wait_for_sound
from tests.support.pbxs import record_heartbeat
from tests.support.shelf import STARTED_AT, Shelf
from tests.support.sounds import wav


@pytest.fixture(scope="session")
def tone() -> bytes:
    return wav((20, True), (3, False), (7, True))


def fill(shelf: Shelf, tone: bytes) -> Facts:
    """One of each, and one with notes and tags; the worker is well."""
    for minute, state in enumerate(("failed", "missing", "recording", "requested")):
        at = STARTED_AT - timedelta(minutes=minute)
        shelf.add(None, state=state, state_reason="said in words", started_at=at)
    who = {"caller_name": "Ann", "caller_number": "+4930901820", "callee": "PJSIP/desk"}
    ann = shelf.add(tone, **who, duration_ms=30_000)
    with shelf.app.app_context():
        record_heartbeat("worker", utc_now(), utc_now(), "22.10.1")
        notes.add_note(ann.uid, "00:12 refund promised", "rita")
        notes.add_note(ann.uid, "a" * 300, "ada")
        notes.add_tag(ann.uid, "refund", "rita")
    return ann


def test_every_state_can_be_used_in_every_way_they_are_looked_at(page, shelf, tone):
    ann = fill(shelf, tone)
    sign_in(page)
    expect(page.locator("tbody")).to_have_count(5)
    look(page, WAYS, "the list")
    row = page.locator(f"#rec-{ann.uid}")
    row.get_by_role("link", name="Listen to").click()
    wait_for_sound(page)
    look(page, WAYS, "a player")
    row.get_by_role("checkbox").first.check()
    look(page, WAYS, "one chosen")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_be_visible()
    look(page, WAYS, "the keys")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Delete…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Delete this recording?")
    look(page, WAYS, "the question")
    page.goto(f"/recordings/{ann.uid}")
    look(page, WAYS, "a recording")


def test_a_printed_list_has_its_facts_and_nothing_to_press(page, shelf, tone):
    fill(shelf, tone)
    sign_in(page)
    expect(page.locator("tbody")).to_have_count(5)
    page.emulate_media(media="print")
    expect(page.get_by_text("said in words").first).to_be_visible()
    for part in (".play", ".tool", ".choose", "#many", "[data-keys]", ".top nav"):
        expect(page.locator(part).first).to_be_hidden()
