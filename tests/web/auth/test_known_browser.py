"""Cookie of a known browser: its name stays with the person, and only with that person."""

from flask.testing import FlaskClient

from callytics.web.auth import known_browser
from callytics.web.auth.known_browser import COOKIE, KnownBrowser
from tests.support.shelf import PASSWORD, Shelf


def sign_in(client: FlaskClient, name: str) -> None:
    client.send("/login", {"username": name, "password": PASSWORD})


def known(shelf: Shelf, client: FlaskClient) -> KnownBrowser:
    """Return the content of the cookie of a client."""
    value = client.get_cookie(COOKIE, path="/login").value
    with shelf.app.test_request_context(headers={"Cookie": f"{COOKIE}={value}"}):
        found = known_browser.read()
    assert found is not None
    return found


def test_a_browser_keeps_its_name_for_one_person_and_gets_another_for_the_next(shelf):
    client = shelf.app.test_client()
    sign_in(client, "rita")
    first = known(shelf, client)
    client.send("/logout")
    sign_in(client, "rita")
    assert known(shelf, client) == first
    client.send("/logout")
    sign_in(client, "ada")
    second = known(shelf, client)
    assert second.user_id != first.user_id
    assert second.browser != first.browser
