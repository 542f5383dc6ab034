"""Fixtures for tests in Chromium: the web server, and a page of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.browser import ARGUMENTS, CHROMIUM, new_page
from tests.support.processes import Web


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium for all tests; each opens pages with cookies of their own."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def web(web_env: dict[str, str], tmp_path: Path) -> Iterator[Web]:
    """Web server of the installation of `shelf`."""
    with Web(web_env, tmp_path) as web:
        yield web


@pytest.fixture
def page(browser: Browser, web: Web) -> Iterator[Page]:
    """Page in which nobody has signed in."""
    with new_page(browser, web.url) as page:
        yield page
