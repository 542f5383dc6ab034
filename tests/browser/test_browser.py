"""The library in a real Chromium, against the web server as it is run."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from callytics.clock import utc_now
from callytics.recordings import ledger
from callytics.recordings.facts import Facts
from tests.support.browser import (
    DARK,
    LIGHT,
    PHONE_DARK,
    PHONE_LIGHT,
    look,
    new_page,
    played,
    sign_in,
    wait_for_focus,
    wait_for_sound,
)
from tests.support.pbxs import record_heartbeat
from tests.support.shelf import STARTED_AT, Shelf
from tests.support.tones import write_tone
from tests.support.waiting import wait_until

SECONDS = 30
IDS = "rows => rows.map(row => row.id)"


@pytest.fixture(scope="session")
def wav(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("sound") / "tone.wav"
    write_tone(path, 440, SECONDS)
    return path.read_bytes()


def ulaw() -> bytes:
    """A square wave of 500 Hz."""
    return np.tile(np.repeat(np.array([0x90, 0x10], np.uint8), 8), 500 * SECONDS).tobytes()


def add(shelf: Shelf, content: bytes | None, caller: str, minute: int = 0, **more) -> Facts:
    given = {"caller_name": caller, "caller_number": "5551234", "callee": "PJSIP/desk", **more}
    given.setdefault("started_at", STARTED_AT + timedelta(minutes=minute))
    given.setdefault("duration_ms", SECONDS * 1000 if content else None)
    return shelf.add(content, **given)


def row(page: Page, facts: Facts):
    return page.locator(f"#rec-{facts.uid}")


def open_player(page: Page, facts: Facts) -> None:
    row(page, facts).get_by_role("link", name="Listen to").click()


def alert(page: Page):
    return page.locator("[role=alert]:not(:empty)")


def seek(page: Page, seconds: float) -> None:
    page.locator("audio").evaluate("(audio, to) => { audio.currentTime = to }", seconds)


def test_signing_in_with_a_wrong_password_then_the_right_one_then_out(page: Page) -> None:
    page.goto("/recordings")
    sign_in(page, "ada", "not this one")
    expect(alert(page)).to_contain_text("The name or the password is wrong")
    expect(page.get_by_label("Password")).to_be_focused()
    page.get_by_label("Password").fill("correct horse")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Recordings", exact=True)).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You are signed out.")
    page.goto("/recordings")
    expect(page).to_have_url("/login?next=/recordings")


@pytest.mark.parametrize("format_", ["wav", "ulaw"])
def test_a_recording_is_heard_and_can_be_listened_to_from_any_place(page, shelf, wav, format_):
    sound = wav if format_ == "wav" else ulaw()
    facts = add(shelf, sound, "Ann", format=format_)
    sign_in(page)
    open_player(page, facts)
    wait_for_sound(page)
    audio = page.locator("audio")
    assert audio.evaluate("audio => audio.duration") == pytest.approx(SECONDS, abs=0.1)
    for place in (SECONDS / 2, SECONDS - 5.0, 3.0):
        seek(page, place)
        wait_for_sound(page, place)
        assert played(page) < place + 4
    assert audio.get_attribute("aria-label").startswith("Recording of Ann to desk")


def test_a_recording_that_was_deleted_meanwhile_says_why_nothing_is_heard(page, shelf, wav):
    facts = add(shelf, wav, "Ann")
    sign_in(page)
    expect(row(page, facts)).to_be_visible()
    shelf.path(facts).unlink()
    open_player(page, facts)
    expect(page.get_by_text("This recording cannot be played now")).to_be_visible()


def test_a_second_click_or_escape_closes_the_player_and_the_focus_is_where_it_was(page, shelf, wav):
    facts = add(shelf, wav, "Ann")
    sign_in(page)
    link = row(page, facts).get_by_role("link", name="Listen to Ann")
    expect(link).to_have_attribute("aria-expanded", "false")
    link.click()
    wait_for_sound(page)
    wait_for_focus(page, "Pause")
    expect(link).to_have_attribute("aria-expanded", "true")
    link.click()
    expect(page.locator("audio")).to_have_count(0)
    link.press("Enter")
    wait_for_sound(page)
    page.keyboard.press("Escape")
    expect(page.locator("audio")).to_have_count(0)
    wait_for_focus(page, "Listen to Ann to desk")
    expect(link).to_have_attribute("aria-expanded", "false")


def test_only_one_recording_is_heard_at_a_time(page, shelf, wav):
    first, second = add(shelf, wav, "Ann"), add(shelf, wav, "Ben", minute=1)
    sign_in(page)
    open_player(page, first)
    wait_until(lambda: not row(page, first).locator("audio").evaluate("a => a.paused"), "plays")
    open_player(page, second)
    wait_until(lambda: not row(page, second).locator("audio").evaluate("a => a.paused"), "plays")
    assert row(page, first).locator("audio").evaluate("audio => audio.paused")


def test_the_download_has_a_name_that_says_what_it_is(page, shelf, wav):
    facts = add(shelf, wav, "Ann")
    sign_in(page)
    with page.expect_download() as started:
        row(page, facts).get_by_role("link", name="Download Ann to desk").click()
    download = started.value
    for part in ("2026-11-22", "desk", "transfer", ".wav"):
        assert part in download.suggested_filename
    assert Path(download.path()).read_bytes() == wav


def test_deleting_asks_in_the_row_and_moves_the_focus_to_the_next(page, shelf, wav):
    names = ("Ann", "Ben", "Cid")  # newest first: Cid, Ben, Ann
    ann, ben, cid = (add(shelf, wav, name, minute) for minute, name in enumerate(names))
    sign_in(page)
    row(page, ben).get_by_role("link", name="Delete Ben to desk").click()
    expect(page.get_by_text("Delete this recording?")).to_be_visible()
    wait_for_focus(page, "Keep Ben to desk")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Delete this recording?")).to_have_count(0)
    wait_for_focus(page, "Delete Ben to desk")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Delete Ben to desk").click()
    expect(row(page, ben)).to_have_count(0)
    expect(page.get_by_role("status")).to_have_text("The recording of Ben to desk is deleted.")
    wait_for_focus(page, "Listen to Ann to desk")
    assert shelf.row(ben) is None
    assert not shelf.path(ben).exists()
    # The last row has no next one, and the last of all leaves the empty library.
    for facts, then in ((ann, "Listen to Cid to desk"), (cid, None)):
        row(page, facts).get_by_role("link", name="Delete").click()
        row(page, facts).get_by_role("button", name="Delete").click()
        expect(row(page, facts)).to_have_count(0)
        if then:
            wait_for_focus(page, then)
    expect(page.get_by_role("heading", name="No recordings yet")).to_be_visible()
    expect(page.locator("main")).to_be_focused()


def test_what_cannot_be_deleted_says_so_in_its_row(page, shelf, wav):
    facts = add(shelf, wav, "Ann")
    sign_in(page)
    row(page, facts).get_by_role("link", name="Delete").click()
    shelf.path(facts).unlink()
    shelf.path(facts).mkdir()
    row(page, facts).get_by_role("button", name="Delete").click()
    expect(row(page, facts).get_by_role("alert")).to_contain_text("could not be deleted")
    assert shelf.row(facts) is not None


def test_a_new_recording_appears_by_itself_and_then_becomes_playable(page, shelf, wav):
    sign_in(page)
    expect(page.get_by_text("No recordings yet")).to_be_visible()
    facts = add(shelf, None, "Ann", state="recording")
    expect(row(page, facts)).to_contain_text("Recording")
    expect(row(page, facts).get_by_role("link", name="Listen")).to_have_count(0)
    shelf.storage.write(facts.path, wav)
    with shelf.app.app_context():
        ledger.save_recording(facts.but(state="available", duration_ms=SECONDS * 1000))
    open_player(page, facts)
    wait_for_sound(page)
    expect(row(page, facts)).to_contain_text("00:30")


def test_news_disturbs_neither_a_player_nor_the_focus_nor_a_question(page, shelf, wav):
    heard, asked = add(shelf, wav, "Ann"), add(shelf, wav, "Ben", minute=1)
    sign_in(page)
    open_player(page, heard)
    wait_for_sound(page)
    row(page, asked).get_by_role("link", name="Delete").click()
    expect(page.get_by_text("Delete this recording?")).to_be_visible()
    wait_for_focus(page, "Keep Ben to desk")
    newcomers = [add(shelf, wav, f"Caller {n}", minute=2 + n) for n in range(30)]
    with shelf.app.app_context():
        ledger.save_recording(heard.but(state_reason="cut short"))
        ledger.save_recording(asked.but(state_reason="cut short too"))
    expect(row(page, newcomers[-1])).to_be_visible()
    # Ann and Ben have left the newest 25 by now, but are in use.
    shown = [facts.uid for facts in (*newcomers[:4:-1], asked, heard)]
    rows = page.locator("tbody")
    wait_until(lambda: rows.evaluate_all(IDS) == [f"rec-{uid}" for uid in shown], "in order")
    wait_for_focus(page, "Keep Ben to desk")
    wait_for_sound(page, played(page))
    page.keyboard.press("Escape")
    row(page, heard).get_by_role("button", name="Close").click()
    page.get_by_role("heading", level=1).click()
    expect(row(page, heard)).to_have_count(0)
    expect(page.locator("tbody")).to_have_count(25)


def test_a_row_that_changes_keeps_its_open_player_and_the_focus_on_its_link(page, shelf, wav):
    facts = add(shelf, wav, "Ann")
    sign_in(page)
    open_player(page, facts)
    wait_for_sound(page)
    link = row(page, facts).get_by_role("link", name="Listen to Ann")
    link.focus()
    with shelf.app.app_context():
        ledger.save_recording(facts.but(state_reason="the end is missing"))
    expect(row(page, facts)).to_contain_text("the end is missing")
    wait_for_focus(page, "Listen to Ann to desk")
    expect(link).to_have_attribute("aria-expanded", "true")
    wait_for_sound(page, played(page))
    link.click()
    expect(page.locator("audio")).to_have_count(0)


def test_an_unchanged_page_is_asked_for_cheaply_and_not_at_all_while_hidden(page, shelf, wav):
    add(shelf, wav, "Ann")
    with shelf.app.app_context():
        record_heartbeat("worker", utc_now(), utc_now(), "22.10.1")
    page.clock.install()
    sign_in(page)
    expect(page.locator("tbody")).to_have_count(1)
    with page.expect_response(lambda answer: answer.status == 304):
        page.clock.run_for(2100)
    page.wait_for_load_state("networkidle")
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.clock.run_for(60_000)
    assert asked == []
    with page.expect_response(lambda answer: answer.status == 304):
        page.evaluate("delete document.hidden")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_the_banner_comes_and_goes_by_itself(page, shelf):
    sign_in(page)
    expect(page.get_by_text("The worker is not running.")).to_be_visible()
    with shelf.app.app_context():
        record_heartbeat("worker", utc_now(), utc_now(), "22.10.1")
    expect(page.get_by_text("The worker is not running.")).to_have_count(0)
    with shelf.app.app_context():
        record_heartbeat("worker", utc_now(), None, "22.10.1")
    expect(page.get_by_text("The worker has no connection to Asterisk.")).to_be_visible()


def test_a_page_that_lost_the_server_says_so_and_recovers(page, web, shelf, wav):
    sign_in(page)
    web.terminate()
    expect(alert(page)).to_contain_text("cannot be reached")
    web.start()
    facts = add(shelf, wav, "Ann")
    expect(row(page, facts)).to_be_visible()
    expect(page.locator("#problem")).to_have_text("")


def test_times_are_those_of_the_browser_and_exact_on_hover(page, shelf, wav):
    facts = add(shelf, wav, "Ann", started_at=STARTED_AT - timedelta(days=400))
    sign_in(page)
    time = row(page, facts).locator("time")
    expect(time).to_have_text("18 Oct 2025, 11:30")
    assert "11:30:00" in time.get_attribute("title")


def test_a_click_for_a_new_tab_opens_the_page_of_the_recording(page, shelf, wav):
    facts = add(shelf, wav, "Ann")
    sign_in(page)
    with page.context.expect_page() as opened:
        row(page, facts).get_by_role("link", name="Listen").click(modifiers=["Control"])
    opened.value.wait_for_load_state()
    assert opened.value.url.endswith(f"/recordings/{facts.uid}")
    expect(page.locator("audio")).to_have_count(0)


def test_everything_works_without_javascript(browser, web, shelf, wav):
    facts = [add(shelf, wav, f"Caller {number}", number) for number in range(27)]
    with new_page(browser, web.url, java_script_enabled=False) as page:
        sign_in(page)
        expect(page.locator("tbody")).to_have_count(25)
        page.get_by_role("link", name="Older").click()
        expect(page.locator("tbody")).to_have_count(2)
        page.get_by_role("link", name="Newer").click()
        row(page, facts[26]).get_by_role("link", name="Listen").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Caller 26 to desk")
        expect(page.locator("audio")).to_be_visible()
        with page.expect_download() as started:
            page.get_by_role("link", name="Download").click()
        assert Path(started.value.path()).read_bytes() == wav
        page.get_by_role("link", name="Delete").click()
        page.get_by_role("link", name="Keep").click()
        page.get_by_role("link", name="Delete").click()
        page.get_by_role("button", name="Delete").click()
        expect(page.get_by_role("status")).to_have_text(
            "The recording of Caller 26 to desk is deleted."
        )
        assert shelf.row(facts[26]) is None
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_nothing_keeps_anybody_from_using_a_page(page, shelf, wav):
    ways = (LIGHT, DARK, PHONE_LIGHT, PHONE_DARK)
    page.goto("/login")
    look(page, ways, "/login")
    sign_in(page)
    expect(page.get_by_text("No recordings yet")).to_be_visible()
    look(page, ways, "an empty library")
    states = ("failed", "missing", "recording", "requested")
    for minute, state in enumerate(states):
        add(shelf, None, "", minute, state=state, state_reason="in words")
    ann, ben = add(shelf, wav, "Ann", 5), add(shelf, wav, "Ben", 6)
    page.reload()
    open_player(page, ann)
    row(page, ben).get_by_role("link", name="Delete").click()
    expect(page.get_by_text("Delete this recording?")).to_be_visible()
    look(page, ways, "a player and a question")
    for url in (f"/recordings/{ann.uid}", f"/recordings/{ben.uid}/delete", "/nowhere"):
        page.goto(url)
        look(page, ways, url)
