"""Test client that checks every page: valid HTML, one h1, a title, no repeated id."""

import re
from collections import Counter
from typing import Any

import html5lib
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')
HTMX = {"HX-Request": "true"}


def check_page(html: str) -> None:
    """Fail if a page breaks one of these rules."""
    # Strict: markup that a browser would repair silently raises an error with its position.
    page = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(html)
    assert len(page.findall(".//h1")) == 1, "exactly one h1"
    title = page.findtext(".//title") or ""
    assert title.endswith(" · Callytics"), title
    assert len(title) > len(" · Callytics"), "the title says which page it is"
    twice = [
        i for i, n in Counter(e.get("id") for e in page.iter() if e.get("id")).items() if n > 1
    ]
    assert not twice, f"ids that stand twice: {twice}"


def check_fragment(html: str) -> None:
    """Fail if a fragment is not valid in the place where htmx puts it."""
    inside = "tbody" if html.lstrip().startswith("<tr") else "main"
    html5lib.HTMLParser(strict=True).parseFragment(html, container=inside)


def text_of(answer: TestResponse) -> str:
    """Return the visible text of a response, with single spaces."""
    return text_of_html(answer.get_data(as_text=True))


def text_of_html(html: str) -> str:
    """Return the visible text of a page, with single spaces."""
    page = html5lib.parse(html, namespaceHTMLElements=False)
    body = page.find("body")
    return " ".join("".join(body.itertext()).split())


class PageClient(FlaskClient):
    """Test client that stands for a browser without JavaScript, or for htmx with its header."""

    # False during a request that only gets a token.
    _looks = True

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        """Make a request, and check the response if it is a page."""
        answer = super().open(*args, **kwargs)
        if not self._looks:
            return answer
        if answer.mimetype == "text/html" and answer.status_code not in (301, 302, 303, 304):
            html = answer.get_data(as_text=True)
            headers = kwargs.get("headers") or {}
            htmx = "HX-Request" in headers and "HX-History-Restore-Request" not in headers
            check_fragment(html) if htmx else check_page(html)
        return answer

    def token(self) -> str:
        """Return the CSRF token of this session."""
        self._looks = False
        try:
            page = self.get("/login", follow_redirects=True).get_data(as_text=True)
        finally:
            self._looks = True
        found = TOKEN.search(page)
        assert found, "every page has a form with a token"
        return found[1]

    def send(self, url: str, form: dict[str, str] | None = None, **kwargs: Any) -> TestResponse:
        """POST a form with its token."""
        return self.post(url, data={"csrf_token": self.token(), **(form or {})}, **kwargs)
