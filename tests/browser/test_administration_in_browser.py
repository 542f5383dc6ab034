"""Settings, users and queues in Chromium: checked while typed, up to date by themselves."""

from datetime import timedelta

from playwright.sync_api import Page, expect

from callytics.clock import utc_now
from callytics.flows import versions
from callytics.flows.document import check
from callytics.people import users
from callytics.queues import membership
from callytics.settings.settings import all_settings, set_setting
from callytics.web.auth.access import PAGES
from tests.support.browser import (
    DARK,
    LIGHT,
    NARROW_FORCED_COLORS,
    PHONE_DARK,
    PHONE_LIGHT,
    ZOOMED,
    look,
    new_page,
    sign_in,
    wait_for_focus,
)
from tests.support.pbxs import record_heartbeat
from tests.support.shelf import Shelf
from tests.support.waiting import wait_until

WAYS = (LIGHT, DARK, PHONE_LIGHT, PHONE_DARK, ZOOMED, NARROW_FORCED_COLORS)
MEMBERS = ["PJSIP/alice", "PJSIP/bob", "Local/a-name-that-is-rather-long@office/n"]


def use_queue(shelf: Shelf) -> None:
    with shelf.app.app_context():
        document = {"queues": {"team": {"members": MEMBERS}, "night": {"members": []}}}
        versions.save(check(document), "tests")
        record_heartbeat("w", utc_now() + timedelta(minutes=5), utc_now(), "22")


def wait_in_queue(shelf: Shelf, call: str, number: str, seconds: int = 0) -> None:
    with shelf.app.app_context():
        membership.enter(call, "team", "w", number, utc_now() - timedelta(seconds=seconds))


def fill(shelf: Shelf) -> None:
    """Somebody waits, one member talks, one rests; ada has a phone; something was changed."""
    use_queue(shelf)
    shelf.add_call("c1", caller_name="Ann Example", answered_at=utc_now(), ended_at=None)
    wait_in_queue(shelf, "w1", "5550199", 75)
    with shelf.app.app_context():
        membership.claim(MEMBERS[:1], "c1", "w")
        membership.pause("team", MEMBERS[1], "ada")
        users.change_endpoint(users.user_named("ada").id, "PJSIP/ada", "ada")
        set_setting("retention_days", "90", "ada")


def test_nothing_keeps_anybody_from_using_the_pages(page, shelf):
    sign_in(page)
    for url in ("/settings", "/queues"):  # no worker, no queues, nothing was changed
        page.goto(url)
        look(page, WAYS, f"{url} of an empty library")
    fill(shelf)
    pages = ["/settings", "/users", "/users/add", "/users/2", "/users/2/remove", "/account"]
    for url in (*pages, "/queues", "/call", "/calls/c1"):
        page.goto(url)
        look(page, WAYS, url)
    page.goto("/settings")
    page.get_by_label("Keep recordings for").fill("soon")
    expect(page.get_by_text("retention_days: must be")).to_be_visible()
    look(page, WAYS, "a wrong setting")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert").first).to_contain_text("Nothing is saved.")
    look(page, WAYS, "a setting that is not saved")


def test_a_setting_is_checked_while_it_is_typed_and_saved_with_who(page, shelf):
    sign_in(page)
    page.goto("/settings")
    field = page.get_by_label("Way out for outbound calls")
    field.press_sequentially("PJSIP/trunk")
    said = page.get_by_text("outbound_endpoint: must be a dial string with {number}")
    expect(said).to_be_visible()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_be_focused()
    field.fill("PJSIP/{number}@trunk")
    expect(said).to_have_count(0)
    expect(field).not_to_have_attribute("aria-invalid", "true")
    page.get_by_label("Record outbound calls").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved: ")
    with shelf.app.app_context():
        assert all_settings()["record_outbound_calls"] == "true"
    page.get_by_role("button", name="Take back Record outbound calls").click()
    expect(page.get_by_label("Record outbound calls")).not_to_be_checked()


def test_the_queues_keep_themselves_up_to_date_and_the_time_goes_on(page, shelf):
    use_queue(shelf)
    sign_in(page)
    page.goto("/queues")
    expect(page.locator("#queue-team")).to_contain_text("Nobody")
    button = page.get_by_role("button", name="Pause alice in team")
    button.focus()
    wait_in_queue(shelf, "w1", "5550199", 75)
    row = page.locator("#queue-team")
    expect(row).to_contain_text("1 waits")
    wait_for_focus(page, "Pause alice in team")
    since = row.locator("[data-since]")
    expect(since).to_have_text("01:20")
    expect(since).to_have_text("01:21")
    with shelf.app.app_context():
        membership.leave("w1")
        membership.claim(MEMBERS[:1], "c9", "w")
    expect(row).to_contain_text("Nobody")
    expect(row).to_contain_text("Busy")
    wait_for_focus(page, "Pause alice in team")


def test_the_time_is_right_where_the_clock_of_the_computer_is_wrong(browser, web, shelf):
    use_queue(shelf)
    wait_in_queue(shelf, "w1", "5550199", 75)
    with new_page(browser, web.url) as page:
        sign_in(page)
        page.clock.install(time=utc_now() + timedelta(hours=1))
        page.goto("/queues")
        since = page.locator("[data-since]")
        wait_until(lambda: since.inner_text().startswith("01:"), "the time is told")


def test_a_member_rests_by_a_key_and_the_focus_stays(page, shelf):
    use_queue(shelf)
    sign_in(page)
    page.goto("/queues")
    page.get_by_role("button", name="Pause bob in team").press("Enter")
    expect(page.get_by_role("status")).to_have_text("bob takes no calls of team until resumed.")
    expect(page.get_by_role("button", name="Resume bob in team")).to_be_focused()
    with shelf.app.app_context():
        assert membership.paused("team") == {"PJSIP/bob"}
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause bob in team")).to_be_focused()
    with shelf.app.app_context():
        assert membership.paused("team") == set()


def test_the_top_of_the_page_is_walked_through_by_keys_in_the_order_in_which_it_is_read(
    page: Page, shelf: Shelf
) -> None:
    fill(shelf)
    sign_in(page)
    page.goto("/account")
    walked = []
    while "Sign out" not in walked:
        page.keyboard.press("Tab")
        name = "document.activeElement.id || document.activeElement.innerText"
        walked.append(" ".join(page.evaluate(name).split()))
    pages = [name for _, name, _ in PAGES if name in walked]
    assert {"Recordings", "Queues", "Settings", "Users"} <= set(pages)
    after = ["dial-number", "dial-button", "Signed in as ada", "Sign out"]
    assert walked == ["Skip to the content", "Callytics", *pages, *after]


def test_a_person_is_added_and_removed_without_javascript(browser, web, shelf):
    with new_page(browser, web.url, java_script_enabled=False) as page:
        sign_in(page)
        page.get_by_role("link", name="Users").click()
        page.get_by_role("link", name="Add a person").click()
        page.get_by_label("Name").fill("carl")
        page.get_by_label("Own phone").fill("PJSIP/carl")
        page.get_by_role("button", name="Add").click()
        password = page.locator(".once").inner_text()
        with shelf.app.app_context():
            assert users.sign_in("carl", password)
        page.get_by_role("link", name="Done").click()
        page.get_by_role("link", name="Change carl").click()
        page.get_by_role("link", name="Remove…").click()
        page.get_by_role("button", name="Remove").click()
        expect(page.get_by_role("status")).to_have_text("carl is removed and signed out.")
        with shelf.app.app_context():
            assert not users.sign_in("carl", password)
