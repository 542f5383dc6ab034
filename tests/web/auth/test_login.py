"""Sign-in and sign-out: sessions, their timeouts, and the rate limit of wrong passwords."""

import pytest

from callytics.version import __version__
from callytics.web.auth import access, attempts, login
from tests.support.pages import HTMX, PageClient, text_of
from tests.support.shelf import PASSWORD, Shelf


@pytest.fixture
def client(shelf: Shelf) -> PageClient:
    return shelf.app.test_client()


def right(name: str = "rita", **more: str) -> dict[str, str]:
    return {"username": name, "password": PASSWORD, **more}


def wrong(name: str = "rita") -> dict[str, str]:
    return {"username": name, "password": "not this one"}


@pytest.mark.parametrize("url", ["/recordings", "/recordings?after=1-1", "/recordings/abc/delete"])
def test_a_stranger_signs_in_first_and_then_sees_the_page(client, url):
    asked = client.get(url)
    assert asked.status_code == 302
    form = client.get(asked.location)
    assert "Sign in" in text_of(form)
    wanted = asked.location.partition("next=")[2]
    assert client.send("/login", right(next=url)).location == url
    assert wanted


def test_a_stranger_can_post_nothing(client):
    assert client.send("/recordings/abc/delete").location.startswith("/login")


def test_htmx_is_sent_to_the_whole_sign_in_page(client):
    answer = client.get("/recordings", headers=HTMX)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/login")


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://example.com/",
        "//example.com",
        "///example.com",
        "/\\example.com",
        "/\t/example.com",
        "\\\\example.com",
        "javascript:alert(1)",
        "recordings",
        "/ recordings",
    ],
)
def test_signing_in_never_leads_to_another_site(client, elsewhere):
    assert client.send("/login", right(next=elsewhere)).location == "/recordings"


def test_a_wrong_password_says_so_and_keeps_the_name(client):
    answer = client.send("/login", wrong())
    assert answer.status_code == 401
    assert "The name or the password is wrong" in text_of(answer)
    assert 'value="rita"' in answer.get_data(as_text=True)
    assert "not this one" not in answer.get_data(as_text=True)
    assert client.get("/recordings").status_code == 302


@pytest.mark.parametrize("form", [{}, {"username": "rita"}, {"username": "a\0b", "password": "x"}])
def test_an_incomplete_or_odd_form_is_only_wrong(client, form):
    assert client.send("/login", form).status_code == 401


def test_signing_out_takes_a_form_and_closes_the_pages(shelf):
    client = shelf.client("rita")
    assert client.get("/recordings").status_code == 200
    assert client.get("/logout").status_code == 405
    assert client.send("/logout").location == "/login"
    assert "You are signed out" in text_of(client.get("/login"))
    assert client.get("/recordings").status_code == 302


@pytest.mark.parametrize("url", ["/login", "/logout", "/test-call", "/recordings/abc/delete"])
def test_a_form_without_its_token_changes_nothing(shelf, url):
    client = shelf.client("ada")
    answer = client.post(url, data=right())
    assert answer.status_code == 400
    assert "reload the page" in text_of(answer)


def test_the_cookie_is_closed_to_scripts_and_other_sites(client):
    cookie = client.send("/login", right()).headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie, "or nobody could sign in on http://localhost"


def test_the_cookie_is_secure_when_the_browser_came_by_https(client):
    cookie = client.get("/login", base_url="https://calls.example").headers["Set-Cookie"]
    assert "Secure" in cookie


def test_what_a_planted_session_held_is_gone_after_signing_in(client):
    with client.session_transaction() as session:
        session["planted"] = "yes"
    client.send("/login", right())
    with client.session_transaction() as session:
        assert "planted" not in session


def test_an_idle_session_ends_and_a_page_left_open_does_not_keep_it_alive(shelf):
    client = shelf.client("rita")
    with client.session_transaction() as session:
        session["seen"] -= 100
        before = session["seen"]
    client.get("/recordings", headers={**HTMX, access.POLL_HEADER: "1"})
    with client.session_transaction() as session:
        assert session["seen"] == before
    client.get("/recordings")
    with client.session_transaction() as session:
        assert session["seen"] > before
        session["seen"] -= access.IDLE_SECONDS + 61
    assert client.get("/recordings").status_code == 302


def test_a_session_ends_after_a_day_of_work_however_busy(shelf):
    client = shelf.client("rita")
    with client.session_transaction() as session:
        session["began"] -= access.WHOLE_SECONDS + 1
    assert client.get("/recordings").status_code == 302


def test_passwords_for_one_name_cannot_be_tried_fast_by_any_process(shelf, client):
    other_process = Shelf.of(shelf.environment)
    other_process.app.test_client_class = PageClient
    clients = [client, other_process.app.test_client()]
    allowed = attempts.PER_NAME.amount
    for number in range(allowed):
        assert clients[number % 2].send("/login", wrong()).status_code == 401
    for each in clients:
        refused = each.send("/login", right())
        assert refused.status_code == 429
        assert "Wait a few minutes" in text_of(refused)
        assert int(refused.headers["Retry-After"]) > 0
    assert client.send("/login", right("ada")).status_code == 303, "another name is not shut out"


def test_many_names_from_one_address_are_limited_too(client):
    allowed = attempts.PER_ADDRESS.amount
    for number in range(allowed):
        answer = client.send("/login", wrong(f"name{number}"))
        assert answer.status_code == 401
    assert client.send("/login", wrong("one-more")).status_code == 429
    elsewhere = {"REMOTE_ADDR": "192.0.2.9"}
    assert client.send("/login", right(), environ_overrides=elsewhere).status_code == 303


def test_the_address_is_taken_from_a_trusted_proxy_alone(shelf):
    told = {"X-Forwarded-For": "203.0.113.1, 198.51.100.7"}

    def seen_from(peer: str) -> str:
        with shelf.app.test_request_context(headers=told, environ_base={"REMOTE_ADDR": peer}):
            return login.client_address()

    assert seen_from("127.0.0.1") == "198.51.100.7"
    assert seen_from("192.0.2.1") == "192.0.2.1"


def test_a_network_of_proxies_is_trusted_whole(shelf):
    shelf = Shelf.of({**shelf.environment, "FORWARDED_ALLOW_IPS": "10.0.0.0/30"})
    told = {"X-Forwarded-For": "198.51.100.7"}
    for peer, seen in (("10.0.0.3", "198.51.100.7"), ("10.0.0.4", "10.0.0.4")):
        with shelf.app.test_request_context(headers=told, environ_base={"REMOTE_ADDR": peer}):
            assert login.client_address() == seen


def test_right_passwords_are_not_counted(shelf):
    for _ in range(attempts.PER_NAME.amount + 2):
        shelf.client("rita")


def test_every_page_carries_the_headers(shelf):
    client = shelf.client("ada")
    for url in ("/login", "/recordings", "/recordings/nothing", "/nowhere", "/healthz"):
        headers = client.get(url).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"


def test_every_page_and_no_fragment_ends_with_the_version(shelf, client):
    ada = shelf.client("ada")
    foot = f'<footer class="foot">Callytics {__version__}</footer>'
    assert foot in client.get("/login").get_data(as_text=True)
    for url in ("/recordings", "/calls", "/settings", "/nowhere"):
        assert ada.get(url).get_data(as_text=True).count(foot) == 1
    for url in ("/recordings", "/calls", "/nowhere"):
        assert foot not in ada.get(url, headers=HTMX).get_data(as_text=True)


def test_no_page_has_a_script_or_a_style_inside_it(shelf):
    client = shelf.client("ada")
    for url in ("/login", "/recordings", "/recordings/nothing"):
        html = client.get(url, follow_redirects=True).get_data(as_text=True)
        assert "<style" not in html
        assert " style=" not in html
        assert "onclick" not in html
        assert html.count("<script") == html.count('<script src="/static/')


def test_static_files_are_kept_for_ever_under_the_name_of_their_content_only(shelf, client):
    with shelf.app.test_request_context():
        url = shelf.app.jinja_env.globals["asset"]("callytics.css")
    for address, forever in ((url, True), (url[:-1], False), (url.partition("?")[0], False)):
        with client.get(address) as answer:
            assert ("immutable" in answer.headers["Cache-Control"]) == forever
