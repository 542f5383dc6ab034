"""A call is watched in Chromium while it goes on, and its recording paused for a card number."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.asterisk import AsteriskServer, PlacedCall
from tests.support.browser import complaints, new_page, played, sign_in, wait_for_focus
from tests.support.processes import Web, Worker
from tests.support.rows import audio_of, recordings_in, use_flow
from tests.support.shelf import Shelf
from tests.support.tones import seconds_heard, spans_heard
from tests.support.waiting import wait_until

Env = dict[str, str]
# Rings for two seconds before it answers.
ALICE = "Local/tone1000_2@party/n"


@pytest.fixture
def live(
    browser: Browser, live_env: Env, worker_process: Worker, live_web_server: Web
) -> Iterator[Page]:
    """The page of calls in progress, of an installation that ada has signed in to."""
    Shelf.of(live_env).add_person("ada")
    with new_page(browser, live_web_server.url) as page:
        sign_in(page)
        page.get_by_role("link", name="Live").click()
        yield page


def flow(asterisk: AsteriskServer) -> dict[str, Any]:
    greeting = {"type": "play_audio", "media": asterisk.add_tone(600, 2), "next": "desk"}
    desk = {"type": "transfer", "destination": ALICE, "record_call": True}
    return {"greeting": greeting, "desk": desk}


def call_in(asterisk: AsteriskServer, live_env: Env) -> PlacedCall:
    asterisk.ari("POST", "asterisk/variable", params={"variable": "told440", "value": ""})
    use_flow(live_env, flow(asterisk))
    return asterisk.place_call("1000", "told440")


def says_the_card_number(asterisk: AsteriskServer) -> None:
    asterisk.tell("told440", 700)
    time.sleep(1.5)
    asterisk.tell("told440", 440)
    time.sleep(0.2)


def test_a_call_is_watched_from_its_beginning_to_its_end_and_paused(
    live: Page, asterisk: AsteriskServer, live_env: Env
) -> None:
    expect(live.get_by_text("No call in progress")).to_be_visible()
    call = call_in(asterisk, live_env)
    row = live.locator("tbody")
    # All of this comes by itself.
    expect(row).to_contain_text("Hears greeting")
    expect(row).to_contain_text("Not recorded")
    expect(row).to_contain_text("Rings desk")
    expect(row).to_contain_text("Talks with tone1000_2")
    pause = row.get_by_role("button", name="Pause recording of Ann Example")
    time.sleep(1.5)
    pause.click()
    expect(row.locator(".badge.paused")).to_have_text("Paused")
    expect(row).to_contain_text("by ada")
    expect(live.locator("#status")).to_contain_text("what is said now is not recorded")
    says_the_card_number(asterisk)
    # The focus is where the hand is; news that came meanwhile did not take it away.
    wait_for_focus(live, "Resume recording of Ann Example to tone1000_2")
    live.keyboard.press("Enter")
    expect(row.locator(".badge.recording")).to_have_text("Recording")
    wait_for_focus(live, "Pause recording of Ann Example to tone1000_2")
    time.sleep(1.5)
    call.hang_up()
    expect(live.get_by_text("No call in progress")).to_be_visible()
    wait_for_focus(live, live.locator("#main").inner_text().replace("\n", " ").replace("  ", " "))
    (recording,) = recordings_in(live_env, "available")
    audio = audio_of(live_env, recording)
    assert spans_heard(audio, 700) == []
    assert seconds_heard(audio, 440) == pytest.approx(recording["duration_ms"] / 1000, abs=0.5)
    check_player(live, recording)


def check_player(page: Page, recording: dict[str, Any]) -> None:
    """The pause stands on the player, and leads to its place."""
    (span,) = json.loads(recording["pauses"])
    page.goto(f"/recordings/{recording['uid']}")
    expect(page.locator(".gaps > svg")).to_have_count(1)
    pauses = page.get_by_role("list", name="Pauses of Ann Example to tone1000_2")
    expect(pauses).to_contain_text("Paused for 00:0")
    expect(pauses).to_contain_text("by ada")
    expect(pauses).to_contain_text("let go on by ada")
    pauses.get_by_role("link").click()
    wait_until(lambda: played(page) >= span["at_ms"] / 1000, "it plays from the pause on")


def test_it_is_paused_from_the_page_of_the_call_and_of_the_recording_too(
    live: Page, asterisk: AsteriskServer, live_env: Env
) -> None:
    call = call_in(asterisk, live_env)
    (recording,) = recordings_in(live_env, "recording")
    # A button that is pressed before the scripts are there sends its form, as without them.
    with live.expect_navigation():
        live.get_by_role("link", name="Ann Example").click()
    live.get_by_role("button", name="Pause recording").click()
    expect(live.locator("#call .badge.paused")).to_have_text("Paused")
    wait_for_focus(live, "Resume recording of Ann Example to tone1000_2")
    # This page is drawn anew every two seconds.
    before = live.locator("#call .since").inner_text()
    expect(live.locator("#call .since")).not_to_have_text(before)
    with live.expect_response(lambda answer: "/calls/" in answer.url):
        pass
    wait_for_focus(live, "Resume recording of Ann Example to tone1000_2")
    live.goto(f"/recordings/{recording['uid']}")
    live.get_by_role("button", name="Resume recording").click()
    expect(live.locator("#recording .listen .badge.recording")).to_have_text("Recording")
    call.hang_up()
    expect(live.locator(".gaps > svg")).to_have_count(1)


def test_it_is_paused_and_goes_on_without_javascript(
    browser: Browser, live: Page, live_web_server: Web, asterisk: AsteriskServer, live_env: Env
) -> None:
    call_in(asterisk, live_env)
    recordings_in(live_env, "recording")
    with new_page(browser, live_web_server.url, java_script_enabled=False) as page:
        sign_in(page)
        page.get_by_role("link", name="Live").click()
        page.get_by_role("button", name="Pause recording").click()
        expect(page).to_have_url(f"{live_web_server.url}/live")
        expect(page.get_by_role("status")).to_contain_text("what is said now is not recorded")
        page.get_by_role("button", name="Resume recording").click()
        expect(page.get_by_role("status")).to_contain_text("Recording again")
        expect(page.get_by_role("button", name="Pause recording")).to_be_visible()


def test_without_a_worker_the_page_warns_and_says_nothing_is_paused(
    live: Page, asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    call_in(asterisk, live_env)
    recordings_in(live_env, "recording")
    row = live.locator("tbody")
    expect(row.get_by_role("button", name="Pause recording")).to_be_visible()
    worker_process.kill()
    row.get_by_role("button", name="Pause recording").click()
    expect(row.get_by_role("alert")).to_contain_text("Not confirmed: it may still be recording")
    expect(row.locator(".badge.recording")).to_have_text("Recording")
    wait_for_focus(live, "Pause recording of Ann Example to tone1000_2")
    assert complaints(live) == "[]"
