"""Finding recordings in a real Chromium: results as one types, and Back to where one was."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from callytics.clock import utc_now
from tests.support.browser import new_page, sign_in
from tests.support.processes import Web
from tests.support.shelf import Shelf
from tests.support.waiting import wait_until


@pytest.fixture
def page(browser: Browser, web: Web, shelf: Shelf) -> Iterator[Page]:
    for number, caller in enumerate(("Ann", "Anton", "Ben", "Annika")):
        add(shelf, caller, hours=number, kind="queue" if number % 2 else "transfer")
    with new_page(browser, web.url) as page:
        sign_in(page)
        expect(page.locator("tbody")).to_have_count(4)
        yield page


def add(shelf: Shelf, caller: str, hours: float = 0, **more) -> None:
    at = utc_now() - timedelta(hours=hours)
    shelf.add(None, caller_name=caller, state="failed", started_at=at, **more)


def search(page: Page):
    return page.get_by_role("searchbox", name="Search")


def shows(page: Page, *callers: str) -> None:
    names = page.locator("tbody .caller .name")
    expect(names).to_have_count(len(callers))
    wait_until(lambda: names.all_inner_texts() == list(callers), f"the rows are {callers}")


def test_results_arrive_while_one_types_and_nothing_typed_is_lost(page: Page) -> None:
    search(page).press_sequentially("ann")
    shows(page, "Ann", "Annika")
    search(page).press_sequentially("ik")
    shows(page, "Annika")
    expect(search(page)).to_be_focused()
    expect(search(page)).to_have_value("annik")
    expect(page).to_have_url("/recordings?q=annik")
    expect(page.locator("#found")).to_have_text("1 recording")
    page.reload()
    expect(search(page)).to_have_value("annik")
    shows(page, "Annika")


def test_an_answer_that_was_overtaken_is_not_shown(page: Page, web: Web) -> None:
    held = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/recordings?q=ann&**", hold)
    search(page).press_sequentially("ann")
    wait_until(lambda: held or page.wait_for_timeout(20), "the first search is on its way")
    search(page).fill("ben")
    shows(page, "Ben")
    for route in held:
        route.abort()
    expect(page).to_have_url("/recordings?q=ben")
    shows(page, "Ben")


def test_back_returns_to_the_view_before_and_forward_again(page: Page) -> None:
    search(page).press_sequentially("ann")
    shows(page, "Ann", "Annika")
    page.get_by_label("Kind").select_option("queue")
    shows(page, "Annika")
    page.go_back()
    shows(page, "Ann", "Annika")
    expect(search(page)).to_have_value("ann")
    expect(page.get_by_label("Kind")).to_have_value("")
    page.go_back()
    shows(page, "Ann", "Anton", "Ben", "Annika")
    expect(search(page)).to_have_value("")
    page.go_forward()
    shows(page, "Ann", "Annika")


def test_a_filter_is_taken_away_with_one_click(page: Page) -> None:
    search(page).fill("ann")
    page.get_by_label("State").select_option("missing")
    expect(page.get_by_role("heading", name="No recording fits")).to_be_visible()
    page.get_by_role("link", name="Without Missing").click()
    shows(page, "Ann", "Annika")
    expect(page.get_by_label("State")).to_have_value("")
    page.get_by_role("link", name="Remove the filter “ann”").click()
    shows(page, "Ann", "Anton", "Ben", "Annika")
    expect(search(page)).to_have_value("")
    expect(search(page)).to_be_focused()


def test_news_come_into_what_is_searched_and_nothing_else_does(page: Page, shelf: Shelf) -> None:
    search(page).fill("ann")
    shows(page, "Ann", "Annika")
    add(shelf, "Berta")
    add(shelf, "Joanna")
    shows(page, "Joanna", "Ann", "Annika")
    expect(page.locator("#count")).to_have_text("3 recordings")


def test_today_is_that_of_the_browser(page: Page) -> None:
    with page.expect_response(lambda answer: "when=today" in answer.url) as asked:
        page.get_by_label("When").select_option("today")
    assert "tz=Europe%2FBerlin" in asked.value.url
    expect(page).to_have_url("/recordings?when=today&tz=Europe/Berlin")
    page.get_by_text("More filters").click()
    expect(page.get_by_text("Days are those of Europe/Berlin")).to_be_visible()
    page.get_by_label("First day").fill("2026-01-01")
    expect(page.get_by_label("When")).to_have_value("")


def test_what_is_typed_wrongly_is_said_beside_what_was_found_before(page: Page) -> None:
    page.get_by_text("More filters").click()
    page.get_by_label("Shortest").fill("soon")
    page.get_by_label("Shortest").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Shortest: must be whole seconds")
    expect(page.get_by_label("Shortest")).to_have_value("soon")
    expect(page.locator("tbody")).to_have_count(4)


def test_a_view_is_saved_and_opened_again(page: Page) -> None:
    search(page).fill("ann")
    shows(page, "Ann", "Annika")
    page.get_by_text("Save this view").click()
    page.get_by_label("Name of this view").fill("All Anns")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("status")).to_have_text("Saved as All Anns.")
    page.goto("/recordings")
    page.get_by_role("link", name="All Anns").click()
    shows(page, "Ann", "Annika")
    expect(search(page)).to_have_value("ann")


def test_the_form_works_without_javascript(browser: Browser, web: Web, page: Page) -> None:
    with new_page(browser, web.url, java_script_enabled=False) as plain:
        sign_in(plain)
        search(plain).fill("ann")
        plain.get_by_label("Kind").select_option("queue")
        plain.get_by_role("button", name="Show").click()
        shows(plain, "Annika")
        expect(plain).to_have_url("/recordings?q=ann&kind=queue")
        plain.get_by_role("link", name="Remove the filter Queue").click()
        shows(plain, "Ann", "Annika")
        plain.get_by_text("More filters").click()
        expect(plain.get_by_text("Days are those of UTC")).to_be_visible()
