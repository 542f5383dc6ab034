"""The page of the queues with all parts real: a caller waits until a member is let back in."""

from playwright.sync_api import Browser, expect

from tests.support.asterisk import AsteriskServer
from tests.support.browser import new_page, sign_in
from tests.support.processes import Web, Worker
from tests.support.rows import ended_calls, use_flow
from tests.support.shelf import Shelf

MEMBER = "Local/tone1000_1_4@party/n"


def test_a_caller_is_seen_waiting_until_the_only_member_is_let_back_in(
    asterisk: AsteriskServer,
    live_env: dict[str, str],
    worker_process: Worker,
    live_web_server: Web,
    browser: Browser,
) -> None:
    line = {"type": "queue", "queue": "team", "record_call": True}
    use_flow(live_env, {"line": line}, queues={"team": {"members": [MEMBER]}})
    Shelf.of(live_env).add_person("ada", "admin")
    with new_page(browser, live_web_server.url) as page:
        sign_in(page)
        page.goto("/queues")
        team = page.locator("#queue-team")
        page.get_by_role("button", name="Pause tone1000_1_4 in team").click()
        expect(team).to_contain_text("Paused")
        asterisk.place_call("1000", "tone440", caller_number="5550199", caller_name="")
        expect(team.locator(".waiting")).to_contain_text("5550199")
        expect(team.locator(".waiting .since")).to_have_text("00:03")
        page.get_by_role("button", name="Resume tone1000_1_4 in team").click()
        expect(team).to_contain_text("talks to 5550199")
        expect(team.locator(".waiting")).to_contain_text("Nobody")
        expect(team).to_contain_text("Free")
    (call,) = ended_calls(live_env)
    assert (call["disposition"], call["callee"]) == ("answered", MEMBER)
