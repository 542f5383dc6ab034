"""Attempts at passwords: every form that checks one counts first, however a name is spelled."""

import time
import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gevent
import pytest
import requests
from hypothesis import given, strategies as st

from callytics.people import passwords, users
from callytics.people.names import account_name
from callytics.web.auth import attempts, known_browser
from tests.support.pages import PageClient, text_of
from tests.support.processes import Web
from tests.support.shelf import PASSWORD, TOKEN, Shelf

AT_ONCE = 150
# Spellings of rita: all of them find her account, or none may be tried without a limit.
SPELLINGS = ("rita", "Rita", "RITA", " rita", "rita\t", "ri\0ta", "\0rita", "r\u00adita", "ri ta")
SPELLINGS += ("\uff52\uff49\uff54\uff41", "\u200brita", "rit\u2060a", "rita\u3000", "\u24e1ita")


@pytest.fixture
def client(shelf: Shelf) -> PageClient:
    return shelf.app.test_client()


def from_elsewhere(number: int) -> dict[str, str]:
    """A client of another address, so that only the limit of the name holds."""
    return {"REMOTE_ADDR": f"192.0.2.{number % 250}"}


def attempt(client, name: str, password: str = "not this one", number: int = 0) -> int:
    form = {"username": name, "password": password}
    return client.send("/login", form, environ_overrides=from_elsewhere(number)).status_code


@pytest.mark.parametrize("processes", [2])
def test_of_150_wrong_passwords_at_once_ten_are_checked(
    postgres_env: dict[str, str], tmp_path: Path, processes: int
) -> None:
    # With a hash that takes its time, unlike those of other tests.
    with Shelf.of(postgres_env).app.app_context():
        users.add_user("rita", "reviewer", PASSWORD, changed_by="tests")
    environment = {**postgres_env, "WEB_CONCURRENCY": str(processes)}
    with Web(environment, tmp_path) as web:
        page = requests.get(f"{web.url}/login", timeout=60)
        form = {"username": "rita", "password": "wrong", "csrf_token": TOKEN.search(page.text)[1]}

        def guess(_number: int) -> int:
            answer = requests.post(f"{web.url}/login", form, cookies=page.cookies, timeout=60)
            return answer.status_code

        with ThreadPoolExecutor(AT_ONCE) as pool:
            codes = Counter(pool.map(guess, range(AT_ONCE)))
    assert codes == {401: attempts.PER_NAME.amount, 429: AT_ONCE - attempts.PER_NAME.amount}


def test_no_spelling_of_a_name_gives_more_attempts(client) -> None:
    codes = [attempt(client, name, number=n) for n, name in enumerate(SPELLINGS * 3)]
    assert codes.count(401) == attempts.PER_NAME.amount
    assert set(codes) == {401, 429}


@pytest.mark.parametrize("name", SPELLINGS)
def test_each_spelling_signs_in_as_the_one_whose_attempts_it_counts(client, name: str) -> None:
    assert attempt(client, name, PASSWORD) == 303


@given(
    st.text(max_size=20), st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]), st.text("\0 \t\u200b")
)
def test_the_normal_form_of_a_name_is_one(name: str, form: str, between: str) -> None:
    normal = account_name(name)
    assert account_name(normal) == normal
    assert account_name(between.join(name)) == normal
    assert account_name(unicodedata.normalize(form, name)) == normal
    assert not any(unicodedata.category(c)[0] in "CZ" for c in normal)


def test_people_who_sign_in_at_the_same_time_use_up_no_limit(shelf: Shelf) -> None:
    for _ in range(attempts.PER_ADDRESS.amount + 2):
        shelf.client("rita")
    client = shelf.app.test_client()
    assert attempt(client, "rita", PASSWORD) == 303


def test_a_browser_that_has_signed_in_before_is_not_shut_out(shelf: Shelf, client) -> None:
    at_home = shelf.client("rita")
    at_home.send("/logout")
    for _ in range(2 * attempts.PER_ADDRESS.amount):
        client.send("/login", {"username": "rita", "password": "wrong"})
    assert client.send("/login", {"username": "rita", "password": PASSWORD}).status_code == 429
    assert at_home.send("/login", {"username": "rita", "password": PASSWORD}).status_code == 303


def test_a_known_browser_has_a_limit_of_its_own_and_for_its_person_alone(shelf: Shelf) -> None:
    shelf.client("ada")
    browser = shelf.client("rita")
    browser.send("/logout")
    codes = [attempt(browser, "rita") for _ in range(15)]
    assert codes == [401] * attempts.PER_BROWSER.amount + [429] * 5
    assert attempt(browser, "rita", PASSWORD) == 429
    others = [attempt(browser, "ada") for _ in range(15)]
    assert others.count(401) == attempts.PER_NAME.amount, "as a stranger"


def test_the_cookie_of_a_known_browser_is_signed_and_closed_to_scripts(
    shelf: Shelf, client
) -> None:
    answer = client.send("/login", {"username": "rita", "password": PASSWORD})
    (cookie,) = [c for c in answer.headers.getlist("Set-Cookie") if known_browser.COOKIE in c]
    assert "HttpOnly" in cookie and "SameSite=Lax" in cookie and "Path=/login" in cookie
    value = cookie.partition("=")[2].partition(";")[0]
    forged = (value[:-1], f"x{value}", "", "null", value.replace(value[:4], "WzFd", 1))
    for text in forged:
        with shelf.app.test_request_context(headers={"Cookie": f"{known_browser.COOKIE}={text}"}):
            assert known_browser.read() is None
    with shelf.app.test_request_context(headers={"Cookie": f"{known_browser.COOKIE}={value}"}):
        assert known_browser.read()


def test_every_form_with_a_password_of_now_counts_its_attempts(shelf: Shelf) -> None:
    checked = 0
    for url in ("/account", "/login"):
        browser = shelf.client("rita") if url == "/account" else shelf.app.test_client()
        form = {"username": "rita", "password": "wrong", "current": "wrong", "again": "wrong"}
        codes = [browser.send(url, form).status_code for _ in range(15)]
        assert codes[-1] == 429, url
        checked += sum(code in (401, 403) for code in codes)
    assert checked == attempts.PER_NAME.amount + attempts.PER_BROWSER.amount


def tick(ticks: list[float]) -> None:
    while True:
        ticks.append(time.monotonic())
        gevent.sleep(0.001)


def test_a_hash_is_computed_apart_from_the_event_loop(shelf: Shelf) -> None:
    """Other requests are answered meanwhile, whatever computes a hash."""
    with shelf.app.app_context():
        uses = (
            lambda: users.sign_in("nobody", "wrong"),
            lambda: users.add_user("carl", "reviewer", "seven horses", changed_by="tests"),
            lambda: passwords.hash_password("seven horses"),
        )
        for use in uses:
            ticks = []
            ticker = gevent.spawn(
                lambda t=ticks: [t.append(gevent.sleep(0.001)) for _ in range(9999)]
            )
            began = time.monotonic()
            use()
            long = time.monotonic() - began
            ticker.kill()
            assert len(ticks) > 5, f"{len(ticks)} ticks in {long:.3f} s"


def test_who_is_refused_is_told_when_to_come_again(client) -> None:
    for _ in range(attempts.PER_NAME.amount):
        attempt(client, "rita")
    answer = client.send("/login", {"username": "rita", "password": PASSWORD})
    assert answer.status_code == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 300
    assert "Wait a few minutes" in text_of(answer)
