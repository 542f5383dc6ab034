"""Call by click, with all parts real: the person's phone rings, then the number, and both speak."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from callytics.people import users
from tests.support.asterisk import AsteriskServer
from tests.support.browser import complaints, new_page, sign_in
from tests.support.processes import Web, Worker
from tests.support.rows import audio_of, calls, ended_calls, recordings_in, use_settings
from tests.support.shelf import Shelf, signed_in
from tests.support.tones import HEARD_DB, loudest_db
from tests.support.waiting import wait_until

PHONE, NUMBER = 440, 1600


@pytest.fixture
def house(live_env: dict[str, str], worker_process: Worker) -> dict[str, str]:
    """Rita has a phone that speaks 440 Hz; numbers outside speak as many Hz as they say."""
    way_out = "Local/tone{number}__3@party/n"
    use_settings(live_env, outbound_endpoint=way_out, record_outbound_calls="true")
    shelf = Shelf.of(live_env)
    shelf.add_person("rita")
    with shelf.app.app_context():
        rita = users.user_named("rita")
        users.change_endpoint(rita.id, f"Local/tone{PHONE}@party/n", "tests")
    return live_env


@pytest.fixture
def page(browser: Browser, house: dict[str, str], live_web_server: Web) -> Iterator[Page]:
    """Rita's browser."""
    with new_page(browser, live_web_server.url) as page:
        sign_in(page, "rita")
        yield page


def test_a_number_typed_at_the_top_of_a_page_is_called_and_both_are_recorded(
    house: dict[str, str], page: Page
) -> None:
    field = page.get_by_label("Number to call")
    page.keyboard.press("c")
    expect(field).to_be_focused()
    page.keyboard.type("1600")
    # Two clicks as fast as a hand can: one call.
    page.get_by_role("button", name="Call", exact=True).dblclick()
    said = page.get_by_role("status")
    expect(said).to_have_text("Your phone rings now; then 1600 is called.")
    expect(field).to_have_value("")
    assert page.url.endswith("/recordings"), "the page is the same"
    expect(page.locator("tbody")).to_contain_text("1600")
    (recording,) = recordings_in(house, "available")
    levels = loudest_db(audio_of(house, recording), (PHONE, NUMBER))
    assert min(levels.values()) > HEARD_DB
    assert (recording["kind"], recording["dialed_number"]) == ("outbound", "1600")
    (call,) = ended_calls(house)
    assert (call["caller_name"], call["dialed_number"]) == ("rita", "1600")
    assert call["disposition"] == "answered"
    assert len(calls(house)) == 1
    assert complaints(page) == "[]"


def test_the_other_side_of_a_call_is_called_again_by_a_button_beside_its_number(
    house: dict[str, str], page: Page
) -> None:
    Shelf.of(house).add_call("earlier", caller_number="+1600", ended_at=None)
    page.goto("/calls/earlier")
    page.get_by_role("button", name="Call back +1600").click()
    expect(page.get_by_role("status")).to_have_text("Your phone rings now; then +1600 is called.")
    wait_until(lambda: len(calls(house)) == 2, "the call is there")


def test_a_number_that_cannot_be_called_stays_in_the_field(page: Page) -> None:
    field = page.get_by_label("Number to call")
    field.fill("sixteen")
    field.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("a number must be 1 to 32 digits")
    expect(field).to_have_value("sixteen")
    expect(field).to_be_focused()


def test_without_javascript_the_same_number_twice_is_one_call_and_a_phone_unknown_is_told(
    asterisk: AsteriskServer, house: dict[str, str], live_web_server: Web
) -> None:
    browser = signed_in(live_web_server.url, "rita")

    def call(number: str) -> tuple[int, str]:
        page = browser.get(f"{live_web_server.url}/recordings", timeout=60).text
        token = page.partition('name="csrf_token" value="')[2].partition('"')[0]
        form = {"number": number, "csrf_token": token, "next": "/calls"}
        answer = browser.post(f"{live_web_server.url}/call", data=form, timeout=60)
        return answer.status_code, answer.text

    status, page = call("1600")
    assert status == 200
    assert "Your phone rings now; then 1600 is called." in page
    assert "<h1>Calls</h1>" in page, "one is where one was"
    status, page = call("16-00")
    assert status == 409
    assert "Your phone rings for 1600 already." in page
    ended_calls(house)
    assert len(calls(house)) == 1
    with Shelf.of(house).app.app_context():
        users.change_endpoint(users.user_named("rita").id, "PJSIP/nobody-has-this", "tests")
    status, page = call("1700")
    assert status == 502
    assert "Asterisk knows no PJSIP/nobody-has-this" in page


def test_the_place_of_the_form_on_a_narrow_page_is_a_page_of_its_own(
    browser: Browser, house: dict[str, str], live_web_server: Web
) -> None:
    with (
        new_page(
            browser,
            live_web_server.url,
            viewport={"width": 390, "height": 844},
            java_script_enabled=False,
        ) as page,
    ):
        sign_in(page, "rita")
        expect(page.get_by_label("Number to call")).to_be_hidden()
        page.get_by_role("link", name="Call", exact=True).click()
        page.get_by_label("Number", exact=True).fill("(16) 00")
        page.get_by_role("button", name="Call", exact=True).click()
        said = page.get_by_role("status")
        expect(said).to_have_text("Your phone rings now; then 1600 is called.")
    ended_calls(house)
