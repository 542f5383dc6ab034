"""First test call of a new administrator, from the empty library, with all parts real."""

from playwright.sync_api import Browser, expect

from tests.support.browser import new_page, sign_in, wait_for_sound
from tests.support.command import flask
from tests.support.process import PROJECT
from tests.support.processes import Web, Worker
from tests.support.rows import recordings
from tests.support.shelf import Shelf
from tests.support.waiting import wait_until


def test_the_button_places_a_call_that_appears_while_it_is_on_and_can_be_heard_when_it_ends(
    browser: Browser, live_env: dict[str, str], worker_process: Worker, live_web_server: Web
) -> None:
    flask(live_env, "flows", "import", str(PROJECT / "deploy/sample_flow.json"))
    Shelf.of(live_env).add_person("ada", "admin")
    with new_page(browser, live_web_server.url) as page:
        sign_in(page)
        page.get_by_role("button", name="Place a test call").click()
        expect(page.get_by_role("status")).to_contain_text("The test call is on its way.")
        row = page.locator("tbody")
        expect(row).to_contain_text("Test caller")
        expect(row).to_have_attribute("data-state", "recording")
        expect(row).to_have_attribute("data-state", "available")
        # The worker has looked at the sound by itself, before anybody opens a player.
        wait_until(lambda: recordings(live_env)[0]["peaks"], "the waveform is kept")
        row.get_by_role("link", name="Listen to Test caller").click()
        wait_for_sound(page)
        lasts = wait_until(
            lambda: page.locator("audio").evaluate("audio => audio.duration"), "its length is known"
        )
        assert 2 < lasts < 30
        row.locator(".time a").click()
        expect(page.get_by_text("Way through the flow")).to_be_visible()
        expect(page.get_by_text("greeting play audio")).to_be_visible()
