"""Listening in a real Chromium: the waveform, its keys, and what is remembered."""

from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from callytics.recordings.facts import Facts
from tests.support.browser import new_page, played, sign_in, wait_for_focus, wait_for_sound
from tests.support.shelf import STARTED_AT, Shelf
from tests.support.sounds import ulaw, wav
from tests.support.waiting import wait_until

SECONDS = 40
TONE = ((SECONDS, True),)


def add(shelf: Shelf, name: str, content: bytes, minute: int = 0, **more) -> Facts:
    given = {"caller_name": name, "callee": "PJSIP/desk", "duration_ms": SECONDS * 1000, **more}
    return shelf.add(content, started_at=STARTED_AT + timedelta(minutes=minute), **given)


@pytest.fixture(scope="session")
def tone() -> bytes:
    return wav(*TONE)


@pytest.fixture
def ann(shelf: Shelf, tone: bytes) -> Facts:
    return add(shelf, "Ann", tone, minute=9)


def row(page: Page, facts: Facts):
    return page.locator(f"#rec-{facts.uid}")


def listen(page: Page, facts: Facts) -> None:
    row(page, facts).get_by_role("link", name="Listen to").click()
    wait_for_sound(page)


def pause(page: Page) -> None:
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def slider(page: Page):
    return page.get_by_role("slider", name="Position")


def rate(page: Page) -> float:
    return page.locator("audio").evaluate("audio => audio.playbackRate")


def heard_width(page: Page) -> float:
    return float(page.locator(".heard").get_attribute("width"))


def wait_for_place(page: Page, seconds: float, slack: float = 3) -> None:
    """Wait until the player is at `seconds`, or has played on a little from there."""
    wait_until(lambda: seconds - 0.1 <= played(page) < seconds + slack, f"it is at {seconds} s")


def test_the_waveform_is_shown_and_what_was_heard_is_colored(page, ann):
    sign_in(page)
    listen(page, ann)
    expect(page.locator(".wave path")).to_have_count(1)
    assert page.locator(".wave path").get_attribute("d").count("M") == 200
    wait_until(lambda: heard_width(page) > 0, "the played part grows")
    expect(page.locator(".position")).to_have_text("00:01 / 00:40")
    page.locator("audio").evaluate("audio => { audio.currentTime = 30 }")
    wait_until(lambda: heard_width(page) >= 600, "three quarters are colored")


def test_a_click_into_the_waveform_and_a_drag_go_there(page, ann):
    sign_in(page)
    listen(page, ann)
    pause(page)
    box = slider(page).bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.click(box["x"] + box["width"] / 2, middle)
    wait_for_place(page, SECONDS / 2, slack=1)
    page.mouse.move(box["x"] + box["width"] / 4, middle)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 3 / 4, middle, steps=4)
    wait_for_place(page, SECONDS * 3 / 4, slack=1)
    page.mouse.move(box["x"] - 500, middle)
    wait_for_place(page, 0, slack=1)
    page.mouse.up()
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    assert played(page) < 1


def test_the_position_is_a_slider_for_the_keyboard_and_for_screen_readers(page, ann):
    sign_in(page)
    listen(page, ann)
    pause(page)
    handle = slider(page)
    expect(handle).to_have_attribute("aria-valuemax", "40")
    for key, place, said in (
        ("Home", 0, "00:00 of 00:40"),
        ("PageUp", 30, "00:30 of 00:40"),
        ("ArrowLeft", 25, "00:25 of 00:40"),
        ("ArrowDown", 20, "00:20 of 00:40"),
        ("ArrowRight", 25, "00:25 of 00:40"),
        ("ArrowUp", 30, "00:30 of 00:40"),
        ("PageDown", 0, "00:00 of 00:40"),
        ("End", 40, "00:40 of 00:40"),
    ):
        handle.press(key)
        expect(handle).to_have_attribute("aria-valuetext", said)
        expect(handle).to_have_attribute("aria-valuenow", str(place))


def test_the_speed_is_chosen_with_its_pitch_kept_and_holds_for_the_next_one(page, shelf, ann, tone):
    ben = add(shelf, "Ben", tone)
    sign_in(page)
    listen(page, ann)
    page.get_by_label("Speed").select_option("3")
    assert rate(page) == 3
    assert page.locator("audio").evaluate("audio => audio.preservesPitch")
    page.reload()
    listen(page, ben)
    assert rate(page) == 3
    page.keyboard.press("<")
    assert rate(page) == 2.5
    for _ in range(9):
        page.keyboard.press("<")
    assert rate(page) == 0.75


def test_silence_is_skipped_when_one_wants(page, shelf):
    facts = add(shelf, "Ann", wav((3, True), (30, False), (7, True)))
    sign_in(page)
    listen(page, facts)
    page.get_by_label("Skip silence").check()
    wait_until(lambda: played(page) > 32, "thirty seconds of silence are skipped", seconds=20)


def test_it_goes_on_where_this_person_stopped(browser, page, web, ann):
    sign_in(page)
    listen(page, ann)
    page.locator("audio").evaluate("audio => { audio.currentTime = 21 }")
    wait_for_sound(page, 21)
    pause(page)
    page.reload()
    listen(page, ann)
    wait_for_place(page, 21, slack=5)
    expect(page.get_by_role("status")).to_contain_text("Goes on at 00:21")
    page.get_by_role("button", name="Sign out").click()
    sign_in(page, "rita")
    listen(page, ann)
    assert played(page) < 10, "another person has not stopped there"
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "Ann" not in kept and "desk" not in kept


def test_one_heard_to_its_end_begins_anew(page, ann):
    sign_in(page)
    listen(page, ann)
    page.locator("audio").evaluate("audio => { audio.currentTime = 39.5 }")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    wait_until(lambda: page.locator("audio").evaluate("audio => audio.ended"), "it ends")
    page.reload()
    listen(page, ann)
    assert played(page) < 10


def test_the_next_one_starts_by_itself_when_one_wants(page, shelf, ann, tone):
    add(shelf, "Failed", None, minute=8, state="failed", duration_ms=None)
    ben = add(shelf, "Ben", tone, minute=7)
    sign_in(page)
    listen(page, ann)
    page.get_by_label("Then play the next").check()
    page.get_by_label("Then play the next").press("ArrowRight")
    page.locator("audio").evaluate("audio => { audio.currentTime = 39.5 }")
    expect(row(page, ann).locator("audio")).to_have_count(0)
    expect(row(page, ben).locator("audio")).to_have_count(1)
    wait_for_sound(page)
    wait_for_focus(page, "Pause")
    page.locator("audio").evaluate("audio => { audio.currentTime = 39.5 }")
    expect(page.get_by_role("status")).to_have_text("That was the last recording on this page.")


@pytest.mark.parametrize("javascript", [True, False])
def test_where_mu_law_does_not_play_it_is_decoded(browser, web, shelf, javascript):
    facts = add(shelf, "Ann", ulaw(*TONE), format="ulaw", kind="voicemail")
    with new_page(browser, web.url, java_script_enabled=javascript) as page:
        # What a browser without μ-law makes of it: a format that it cannot read.
        page.route(
            "**/audio", lambda route: route.fulfill(body=b"?" * 500, content_type="audio/wav")
        )
        sign_in(page)
        if javascript:
            listen(page, facts)
            assert page.locator("audio").evaluate("audio => audio.duration") == SECONDS
            expect(page.get_by_text("cannot be played now")).to_be_hidden()
        else:
            page.goto(f"/recordings/{facts.uid}")
            with page.expect_response(lambda answer: "as=pcm" in answer.url):
                page.locator("audio").press(" ")


def test_what_cannot_be_played_in_either_way_says_so(page, shelf):
    facts = add(shelf, "Ann", ulaw(*TONE), format="ulaw")
    sign_in(page)
    expect(row(page, facts)).to_be_visible()
    shelf.path(facts).unlink()
    row(page, facts).get_by_role("link", name="Listen to").click()
    expect(page.get_by_text("This recording cannot be played now")).to_be_visible()


# The keys


def test_rows_are_gone_through_and_listened_to_without_the_mouse(page, shelf, ann, tone):
    add(shelf, "Failed", None, minute=8, state="failed", duration_ms=None)
    add(shelf, "Ben", tone, minute=7)
    sign_in(page)
    expect(page.locator("tbody")).to_have_count(3)
    page.keyboard.press("ArrowDown")
    wait_for_focus(page, "Listen to Ann to desk")
    page.keyboard.press("ArrowUp")
    wait_for_focus(page, "Listen to Ann to desk")
    page.keyboard.press("j")
    expect(page.locator("tbody").nth(1).locator(".time a")).to_be_focused()
    page.keyboard.press("ArrowDown")
    wait_for_focus(page, "Listen to Ben to desk")
    page.keyboard.press("j")
    wait_for_focus(page, "Listen to Ben to desk")
    page.keyboard.press(" ")
    wait_for_sound(page)
    wait_for_focus(page, "Pause")
    page.keyboard.press(" ")
    wait_for_focus(page, "Play")
    page.keyboard.press("k")
    page.keyboard.press("k")
    wait_for_focus(page, "Listen to Ann to desk")
    page.keyboard.press("Enter")
    expect(page.locator("audio")).to_have_count(2)


def test_enter_on_a_row_that_is_open_pauses_and_goes_on(page, ann):
    sign_in(page)
    listen(page, ann)
    page.keyboard.press("ArrowUp")
    wait_for_focus(page, "Listen to Ann to desk")
    for key, name in (("Enter", "Play"), ("Enter", "Pause"), (" ", "Play")):
        page.keyboard.press(key)
        expect(page.get_by_role("button", name=name, exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowDown")
    wait_for_focus(page, "Listen to Ann to desk")


def test_the_arrows_go_five_seconds_back_and_on(page, ann):
    sign_in(page)
    listen(page, ann)
    pause(page)
    before = played(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    wait_until(lambda: played(page) == pytest.approx(before + 10, abs=0.2), "ten seconds on")
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: played(page) == pytest.approx(before + 5, abs=0.2), "five seconds back")


def test_d_downloads_the_row_that_one_is_in(page, shelf, ann, tone):
    add(shelf, "Ben", tone, minute=7)
    sign_in(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    with page.expect_download() as started:
        page.keyboard.press("d")
    assert "Ben" in started.value.suggested_filename


def test_the_keys_are_told_and_can_be_turned_off(page, ann):
    sign_in(page)
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys")
    expect(dialog).to_be_visible()
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("j")
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    dialog.get_by_label("Use these keys").uncheck()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.reload()
    page.keyboard.press("j")
    page.keyboard.press("?")
    expect(dialog).to_be_hidden()
    assert page.evaluate("document.activeElement === document.body")
    page.get_by_role("button", name="Keys").click()
    dialog.get_by_label("Use these keys").check()
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="Keys")).to_be_focused()
    page.keyboard.press("j")
    wait_for_focus(page, "Listen to Ann to desk")


def test_no_key_is_taken_from_who_chooses_or_holds_another_key(page, ann):
    sign_in(page)
    listen(page, ann)
    page.get_by_label("Speed").focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Speed")).to_be_focused()
    page.get_by_role("button", name="Pause", exact=True).focus()
    page.keyboard.press("Alt+k")
    wait_for_focus(page, "Pause")
