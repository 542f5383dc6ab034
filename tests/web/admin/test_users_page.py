"""User administration: adding, changing and removing accounts, and refusals."""

import re

import pytest

from callytics.audit.admin_changes import changes_of
from callytics.database.engine import db
from callytics.people import users
from callytics.search.models import SavedSearch
from callytics.search.saved_searches import save_search
from tests.support.pages import PageClient, text_of
from tests.support.shelf import PASSWORD, Shelf

MADE = re.compile(r'class="once"><code>([^<]+)</code>')


@pytest.fixture
def ada(shelf: Shelf) -> PageClient:
    return shelf.client("ada")


def person(shelf: Shelf, name: str):
    with shelf.app.app_context():
        return users.user_named(name)


def url_of(shelf: Shelf, name: str, what: str = "") -> str:
    return f"/users/{person(shelf, name).id}{what}"


def history(shelf: Shelf) -> list[tuple[str, str, str, str]]:
    """Return the changes made by ada."""
    with shelf.app.app_context():
        found = changes_of("person", 50)
    return [(c.thing, c.before, c.after) for c in found if c.username == "ada"]


def can_sign_in(shelf: Shelf, name: str, password: str) -> bool:
    with shelf.app.app_context():
        return users.sign_in(name, password) is not None


GETS = ("", "/add", "/1", "/1/remove")
POSTS = ("/add", *(f"/1/{what}" for what in ("role", "endpoint", "password", "sessions", "remove")))


def test_a_reviewer_sees_nobody_and_changes_nobody(shelf):
    rita = shelf.client("rita")
    for url in GETS:
        assert rita.get(f"/users{url}").status_code == 403
    for url in POSTS:
        assert rita.send(f"/users{url}", {"role": "admin"}).status_code == 403
    assert "Users" not in text_of(rita.get("/recordings"))


def test_everybody_is_listed_with_role_and_phone(shelf, ada):
    ada.send(url_of(shelf, "rita", "/endpoint"), {"endpoint": "PJSIP/rita"})
    text = text_of(ada.get("/users"))
    assert "ada you Administrator None" in text
    assert "rita Reviewer PJSIP/rita" in text


def test_a_person_is_added_with_a_password_of_their_own(shelf, ada):
    form = {"username": "carl", "role": "reviewer", "endpoint": " PJSIP/carl "}
    answer = ada.send("/users/add", {**form, "password": "seven horses"})
    assert answer.status_code == 303
    assert "carl can sign in." in text_of(ada.get("/users"))
    assert can_sign_in(shelf, "carl", "seven horses")
    assert person(shelf, "carl").endpoint == "PJSIP/carl"
    assert history(shelf) == [("person carl", "", "added as reviewer")]


def test_a_password_that_is_made_is_shown_once(shelf, ada):
    ada.send(url_of(shelf, "ada", "/endpoint"), {"endpoint": "PJSIP/ada"})
    answer = ada.send("/users/add", {"username": "carl", "role": "admin"})
    (password,) = MADE.findall(answer.get_data(as_text=True))
    assert text_of(answer).count("carl can sign in.") == 1
    assert can_sign_in(shelf, "carl", password)
    for url in ("/users", url_of(shelf, "carl"), "/recordings"):
        assert password not in ada.get(url).get_data(as_text=True)
    for cookie in (answer.headers.get("Set-Cookie", ""), ada.get_cookie("callytics_session").value):
        assert password not in cookie


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"username": "a b"}, "name: must be 1 to 64"),
        ({"username": "rita"}, "rita exists already"),
        ({"username": "nul\0"}, None),
        ({"role": "owner"}, "role: must be one of"),
        ({"endpoint": "alice"}, "phone: must be a dial string such as PJSIP/alice"),
        ({"endpoint": "PJSIP/a&PJSIP/b"}, "phone: must be a dial string"),
        ({"password": "2brief"}, "password: must have at least 10"),
    ],
)
def test_who_cannot_be_added_is_told_why_and_types_nothing_twice(shelf, ada, wrong, words):
    form = {"username": "carl", "role": "admin", "endpoint": "PJSIP/carl", "password": PASSWORD}
    answer = ada.send("/users/add", {**form, **wrong})
    if words is None:
        assert answer.status_code == 303
        return
    assert answer.status_code == 400
    assert words in text_of(answer)
    html = answer.get_data(as_text=True)
    typed = {**form, **wrong}
    assert f'value="{typed["username"]}"' in html
    assert f'value="{typed["endpoint"]}"'.replace("&", "&amp;") in html
    assert typed["password"] not in html
    assert history(shelf) == []


def test_a_role_is_changed_and_counts_at_once(shelf, ada):
    rita = shelf.client("rita")
    assert rita.get("/users").status_code == 403
    ada.send(url_of(shelf, "rita", "/role"), {"role": "admin"})
    assert rita.get("/users").status_code == 200
    assert history(shelf) == [("person rita role", "reviewer", "admin")]


def test_a_phone_is_set_and_taken_away(shelf, ada):
    url = url_of(shelf, "rita", "/endpoint")
    ada.send(url, {"endpoint": "PJSIP/rita"})
    refused = ada.send(url, {"endpoint": "PJSIP/ri ta"})
    assert refused.status_code == 409
    assert 'value="PJSIP/ri ta"' in refused.get_data(as_text=True)
    assert person(shelf, "rita").endpoint == "PJSIP/rita"
    ada.send(url, {"endpoint": ""})
    assert person(shelf, "rita").endpoint == ""
    assert history(shelf) == [
        ("person rita phone", "PJSIP/rita", "none"),
        ("person rita phone", "none", "PJSIP/rita"),
    ]


def test_a_new_password_is_set_and_none_is_ever_kept_in_the_history(shelf, ada):
    url = url_of(shelf, "rita", "/password")
    assert ada.send(url, {"password": "2brief"}).status_code == 409
    ada.send(url, {"password": "seven horses"})
    assert can_sign_in(shelf, "rita", "seven horses")
    made = MADE.findall(ada.send(url).get_data(as_text=True))[0]
    assert can_sign_in(shelf, "rita", made)
    assert history(shelf) == [("person rita password", "", "a new one")] * 2


def test_removing_asks_first_and_then_the_person_is_gone_with_what_was_only_theirs(shelf, ada):
    rita = person(shelf, "rita")
    with shelf.app.app_context():
        save_search(rita.id, "mine", "q=1")
    question = ada.get(f"/users/{rita.id}/remove")
    assert "Remove rita?" in text_of(question)
    assert can_sign_in(shelf, "rita", PASSWORD)
    assert ada.send(f"/users/{rita.id}/remove").status_code == 303
    assert "rita is removed" in text_of(ada.get("/users"))
    assert not can_sign_in(shelf, "rita", PASSWORD)
    assert history(shelf) == [("person rita", "reviewer", "removed")]
    with shelf.app.app_context(), db.engine.connect() as connection:
        assert connection.execute(db.select(SavedSearch)).all() == []
    assert ada.get(f"/users/{rita.id}").status_code == 404
    assert ada.send(f"/users/{rita.id}/remove").status_code == 404


def test_nobody_removes_themselves(shelf, ada):
    shelf.add_person("carl", "admin")
    answer = ada.send(url_of(shelf, "ada", "/remove"))
    assert answer.status_code == 409
    assert "You cannot remove yourself" in text_of(answer)
    assert can_sign_in(shelf, "ada", PASSWORD)


def test_the_last_administrator_stays_one(shelf, ada):
    answer = ada.send(url_of(shelf, "ada", "/role"), {"role": "reviewer"})
    assert answer.status_code == 409
    assert "ada is the last administrator" in text_of(answer)
    assert person(shelf, "ada").role == "admin"
    shelf.add_person("carl", "admin")
    ada.send(url_of(shelf, "ada", "/role"), {"role": "reviewer"})
    assert person(shelf, "ada").role == "reviewer"


@pytest.mark.parametrize("number", ["77", "99999999999999999999"])
def test_a_person_that_there_is_not_is_not_found(ada, number):
    assert ada.get(f"/users/{number}").status_code == 404
    assert ada.send(f"/users/{number}/role", {"role": "admin"}).status_code == 404


def test_whoever_has_no_account_page_to_ask_for_sees_their_own(shelf, ada):
    ada.send(url_of(shelf, "rita", "/endpoint"), {"endpoint": "PJSIP/rita"})
    text = text_of(shelf.client("rita").get("/account"))
    assert "rita" in text
    assert "Reviewer" in text
    assert "PJSIP/rita" in text
