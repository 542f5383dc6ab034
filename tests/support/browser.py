"""Debian's Chromium, driven by Playwright, with what the tests ask of it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.support.shelf import PASSWORD
from tests.support.waiting import wait_until

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
expect.set_options(timeout=60_000)
# What htmx says of a search that the next letter made needless.
OVERTAKEN = ("htmx:afterRequest", "htmx:sendAbort")
# Chromium and htmx report an answer of 4xx as an error of the page; those are asked for by tests.
EXPECTED = ("Failed to load resource", "Response Status Error Code", *OVERTAKEN)


@contextmanager
def new_page(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """A window of its own with its own cookies; any complaint of the page's scripts fails."""
    settings = {"viewport": {"width": 1440, "height": 900}, "timezone_id": "Europe/Berlin"}
    context = browser.new_context(base_url=url, locale="en-GB", **{**settings, **options})
    context.set_default_timeout(60_000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: message.type == "error" and complaints.append(message.text),
    )
    try:
        yield page
    finally:
        context.close()
    unexpected = [text for text in complaints if not text.startswith(EXPECTED)]
    assert not unexpected, unexpected


def sign_in(page: Page, name: str = "ada", password: str = PASSWORD) -> None:
    """Go through the form."""
    page.goto("/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    # A key that is pressed before the next page is there would be pressed in vain.
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()


def complaints(page: Page) -> str:
    """What axe-core finds on the page, "[]" where that is nothing."""
    found = Axe().run(page)["violations"]
    return json.dumps([{v["id"]: [n["html"] for n in v["nodes"]]} for v in found], indent=1)


def played(page: Page) -> float:
    """How far the player on the page is, in seconds."""
    return float(page.locator("audio").evaluate("audio => audio.currentTime"))


def wait_for_sound(page: Page, after: float = 0.0) -> None:
    """Wait until the player has played on from `after` seconds."""
    wait_until(lambda: played(page) > after + 0.2, f"the sound goes on from {after} s")


def focused(page: Page) -> str:
    """What has the focus, as a person would name it."""
    text = "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
    return " ".join(str(page.evaluate(text)).split())


def wait_for_focus(page: Page, name: str) -> None:
    """Wait until what is called `name` has the focus."""
    wait_until(lambda: focused(page) == name, f"the focus is on {name!r}")
