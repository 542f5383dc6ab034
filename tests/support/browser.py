"""Debian's Chromium, driven by Playwright, and checks of its pages."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

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
# htmx reports a search that was canceled by the next letter.
OVERTAKEN = ("htmx:afterRequest", "htmx:sendAbort")
# Chromium and htmx report a 4xx response as an error of the page; tests ask for some.
EXPECTED = ("Failed to load resource", "Response Status Error Code", *OVERTAKEN)


@dataclass(frozen=True)
class Way:
    """Window of a viewer: its size in CSS pixels, and the viewer's preferences."""

    width: int = 1440
    height: int = 900
    scheme: Literal["light", "dark"] = "light"
    forced_colors: Literal["active", "none"] = "none"
    motion: Literal["reduce", "no-preference"] = "no-preference"


USUAL = Way()
LIGHT, DARK = USUAL, Way(scheme="dark")
PHONE_LIGHT, PHONE_DARK = (Way(390, 844, scheme=scheme) for scheme in ("light", "dark"))
# For a page, zoom is a smaller window.
ZOOMED = Way(720, 450)
# The least width that WCAG asks for: 320 pixels.
FORCED_COLORS = Way(forced_colors="active")
NARROW_FORCED_COLORS = Way(320, 640, forced_colors="active")
LITTLE_MOTION = Way(320, 640, motion="reduce")
WAYS = (LIGHT, DARK, PHONE_LIGHT, PHONE_DARK, ZOOMED, FORCED_COLORS, LITTLE_MOTION)


@contextmanager
def new_page(browser: Browser, url: str, **options: Any) -> Iterator[Page]:
    """Yield a page with cookies of its own; fail if a script of the page reports an error."""
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
    """Sign in by the form."""
    page.goto("/login")
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    # A key pressed before the next page is loaded would have no effect.
    with page.expect_navigation():
        page.get_by_role("button", name="Sign in").click()


def complaints(page: Page) -> str:
    """Return the violations that axe-core finds on the page, as JSON."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    # Without the passes, which are by far the largest part.
    found = page.evaluate("axe.run({resultTypes: ['violations']}).then(said => said.violations)")
    return json.dumps([{v["id"]: [n["html"] for n in v["nodes"]]} for v in found], indent=1)


def look(page: Page, ways: Iterable[Way] = (), where: str = "") -> None:
    """Fail if axe-core finds a violation, or if content extends beyond the right edge.

    Check it in each of the `ways`, or only as it is. The page is not reloaded for that:
    a browser that is resized or given another scheme draws it like one that began with these.
    """
    for way in ways or (None,):
        if way:
            show(page, way)
        assert complaints(page) == "[]", (where, way)
        width = page.evaluate("window.innerWidth")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, (where, way)
    if ways:
        show(page, USUAL)


def show(page: Page, way: Way) -> None:
    """Set the size of the window and the preferences of the viewer."""
    page.emulate_media(
        color_scheme=way.scheme, forced_colors=way.forced_colors, reduced_motion=way.motion
    )
    page.set_viewport_size({"width": way.width, "height": way.height})
    wait_until(lambda: page.evaluate("window.innerWidth") == way.width, "it is as wide")


def played(page: Page) -> float:
    """Return the position of the player on the page, in seconds."""
    return float(page.locator("audio").evaluate("audio => audio.currentTime"))


def wait_for_sound(page: Page, after: float = 0.0) -> None:
    """Wait until the player has played on from `after` seconds."""
    wait_until(lambda: played(page) > after + 0.2, f"the sound goes on from {after} s")


def focused(page: Page) -> str:
    """Return the accessible name of the focused element."""
    text = "document.activeElement.getAttribute('aria-label') || document.activeElement.innerText"
    return " ".join(str(page.evaluate(text)).split())


def wait_for_focus(page: Page, name: str) -> None:
    """Wait until the element named `name` has the focus."""
    wait_until(lambda: focused(page) == name, f"the focus is on {name!r}")
