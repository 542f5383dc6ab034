"""Count of recordings, completed after the page if it takes longer, in a real Chromium.

In a library that is large enough for that: thirty thousand recordings.
"""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import text

from callytics.clock import utc_now
from callytics.database.engine import db
from callytics.search.engine import find
from callytics.web.recordings.search_form import parse_search
from tests.bench import filling
from tests.support.browser import complaints, new_page, sign_in
from tests.support.processes import Web
from tests.support.shelf import Shelf, signed_in, without_keeping

ASKED = "q=karl&min_seconds=60"
PLAINLY = """SELECT count(*) FROM recordings
             WHERE instr(search_text, 'karl') > 0 AND duration_ms >= :min_ms"""


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf.of(filling.sqlite_library(30_000, tmp_path_factory.mktemp("library")))


@pytest.fixture(scope="module")
def number(shelf: Shelf) -> str:
    """Return the final count on the page."""
    filters = parse_search(dict(parse_qsl(ASKED)), utc_now()).filters
    with shelf.app.app_context(), db.engine.connect() as connection:
        assert find(filters).count.may_go_on
        return f"{connection.scalar(text(PLAINLY), {'min_ms': filters.min_ms})} recordings"


@pytest.fixture
def web(shelf: Shelf, tmp_path: Path) -> Iterator[Web]:
    with Web(shelf.environment, tmp_path) as web:
        yield web


@pytest.fixture
def page(browser: Browser, web: Web) -> Iterator[Page]:
    with new_page(browser, web.url) as page:
        sign_in(page, filling.ADMIN)
        yield page


def test_the_page_comes_first_and_the_count_after_it(page: Page, number: str) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/recordings?*count=all", hold)
    page.goto(f"/recordings?{ASKED}")
    expect(page.locator("tbody")).to_have_count(25)
    count = page.locator("#count")
    expect(count).to_contain_text("More than")
    expect(count.get_by_role("link", name="Count them")).to_be_visible()
    assert complaints(page) == "[]"
    page.wait_for_function("() => document.querySelector('#count a.htmx-request')")
    held[0].continue_()
    expect(count).to_have_text(number)
    expect(page).to_have_url(f"/recordings?{ASKED}")
    assert complaints(page) == "[]"


def test_what_one_types_is_counted_too_and_said(page: Page, number: str) -> None:
    page.goto("/recordings?min_seconds=60")
    page.get_by_role("searchbox", name="Search").press_sequentially("karl")
    expect(page.locator("#count")).to_have_text(number)
    expect(page.locator("#found")).to_have_text(number)


@pytest.mark.slow
def test_without_javascript_a_link_counts_them(web: Web, number: str) -> None:
    with without_keeping(signed_in(web.url, filling.ADMIN)) as ada:
        page = ada.get(f"{web.url}/recordings?{ASKED}", timeout=60).text
        assert "More than" in page and number not in page
        address = f"/recordings?{ASKED}&count=all"
        assert f'href="{address.replace("&", "&amp;")}"' in page
        counted = ada.get(f"{web.url}{address}", timeout=60).text
        assert number in counted and "Count them" not in counted
        # It is known for a while, for whoever asks next.
        again = ada.get(f"{web.url}/recordings?{ASKED}&sort=newest", timeout=60).text
        assert number in again
