"""Helpers for tests of the flow pages: the published version, and the forms that change it."""

import html
import json
import re
from typing import Any

from callytics.flows import versions
from callytics.flows.document import Document, check
from tests.support.pages import PageClient
from tests.support.shelf import Shelf

SEEN = re.compile(r'name="seen" value="(\d+)"')
# Form values of "greeting, ring three phones, else voicemail", recorded.
NEW = "/flows/new?as=greeting"
TYPED = {
    "numbers": "1000 1001",
    "destinations": "PJSIP/a\nPJSIP/b\nPJSIP/c",
    "media": "sound:hello-world",
    "record_call": "yes",
    "name": "main",
}


def published_document(shelf: Shelf) -> Document:
    """Return the published document."""
    with shelf.app.app_context():
        return versions.current()


def use_document(shelf: Shelf, values: dict[str, Any], who: str = "tests") -> None:
    """Publish a document."""
    with shelf.app.app_context():
        versions.save(check(values), who)


def seen(answer: Any) -> str:
    """Return the version that the first form of a page is based on."""
    found = SEEN.search(answer.get_data(as_text=True))
    assert found, "the page has such a form"
    return found[1]


def publish_draft(client: PageClient) -> Any:
    """Publish the draft by its form; return the response."""
    page = client.get("/flows")
    return client.send("/flows/draft", {"seen": seen(page)}, follow_redirects=True)


def draft_of(client: PageClient) -> dict[str, Any]:
    """Return the exported draft."""
    return json.loads(client.get("/flows/export?draft").get_data(as_text=True))


def fields_of(answer: Any) -> dict[str, str]:
    """Return the fields of the form of a response, as a browser sends them."""
    return fields_of_html(answer.get_data(as_text=True))


def fields_of_html(page: str) -> dict[str, str]:
    """Return the fields of the form of a page, as a browser sends them."""
    form = page[page.index('<form class="card entry') :]
    form = form[: form.index("</form>")]
    found = dict(re.findall(r'<input type="text"[^>]* name="(\w+)"[^>]* value="([^"]*)"', form))
    for name, text in re.findall(
        r'<textarea[^>]* name="(\w+)"[^>]*>\n?(.*?)</textarea>', form, re.S
    ):
        found[name] = text
    for name, options in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else re.search(r'value="([^"]*)"', options)[1]
    for name, rest in re.findall(r'<input type="checkbox"[^>]* name="(\w+)"([^>]*)>', form):
        if " checked" in rest:
            found[name] = "yes"
    return {name: html.unescape(text) for name, text in found.items()}
