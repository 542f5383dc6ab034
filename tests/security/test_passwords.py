"""Passwords that nobody may have: tried in every form and command that takes a new one."""

import gzip

import pytest

from callytics.people import passwords, users
from callytics.people.passwords import PASSWORD_RULE
from tests.security.walk import Form, commands, forms
from tests.support.command import flask
from tests.support.pages import PageClient, text_of
from tests.support.shelf import PASSWORD, Shelf

NAME = "rita.the.reviewer"
SHORT = ("short", "ninechars", " " * 9, "2brief")
NAMES = (NAME, NAME.upper(), f" {NAME} ", f"{NAME}\u200b")
COMMON = ("1234567890", "qwertyuiop", "QwertyUIOP", "password123", "1q2w3e4r5t", "qwerty123456")
BAD = SHORT + NAMES + COMMON


@pytest.fixture
def client(shelf: Shelf) -> PageClient:
    """An administrator whose name is NAME, so that all forms are about one name."""
    shelf.add_person(NAME, "admin")
    return shelf.client(NAME)


def user_id(shelf: Shelf) -> int:
    with shelf.app.app_context():
        return users.user_named(NAME).id


def forms_for_a_new_password(client: PageClient, shelf: Shelf) -> list[Form]:
    found = forms(client, user_id=user_id(shelf))
    return [form for form in found if form.named("new-password")]


def fill(form: Form, password: str) -> dict[str, str]:
    values = {
        **form.values,
        "username": NAME,
        **dict.fromkeys(form.named("new-password"), password),
    }
    return {**values, **dict.fromkeys(form.named("current-password"), PASSWORD)}


def test_every_form_refuses_every_bad_password_and_says_the_rule(client, shelf) -> None:
    found = forms_for_a_new_password(client, shelf)
    assert len(found) >= 3
    got_through = []
    for form in found:
        assert PASSWORD_RULE in text_of(client.get(form.page)), form.page
        for password in BAD:
            answer = client.send(form.action, fill(form, password))
            if answer.status_code < 400 or "password: " not in text_of(answer):
                got_through.append((form.action, password))
    assert got_through == []
    with shelf.app.app_context():
        assert users.sign_in(NAME, PASSWORD), "no password was changed"


def test_every_command_refuses_every_bad_password_and_says_the_rule(app_env, client, shelf) -> None:
    found = [
        (words, command)
        for words, command in commands(shelf.app)
        if any("password" in option.name for option in command.params)
    ]
    assert len(found) >= 2
    got_through = []
    for words, command in found:
        rule = " ".join(flask(shelf.environment, *words, "--help").stdout.split())
        assert PASSWORD_RULE in rule, words
        roles = ("--role", "admin") if any(o.name == "role" for o in command.params) else ()
        for password in BAD:
            arguments = (*words, NAME, *roles, "--password-stdin")
            done = flask(shelf.environment, *arguments, text=f"{password}\n", check=False)
            assert password not in done.stdout
            if done.returncode == 0 or "password: " not in done.stderr:
                got_through.append((words, password))
    assert got_through == []


def test_a_password_of_an_older_rule_goes_on(shelf: Shelf) -> None:
    quick = passwords.generate_password_hash("8 chars!", method="scrypt:512:8:1")
    with shelf.app.app_context(), users.writing() as connection:
        connection.execute(users.update(users.User).values(password_hash=quick))
    client = shelf.app.test_client()
    assert client.send("/login", {"username": "rita", "password": "8 chars!"}).status_code == 303


def test_the_list_holds_a_thousand_common_passwords_that_are_long_enough() -> None:
    with gzip.open(passwords._COMMON, "rt") as lines:
        known = [line.strip() for line in lines if not line.startswith("#")]
    assert len(known) > 1000
    assert min(map(len, known)) == passwords.PASSWORD_MIN
    for password in known:
        with pytest.raises(passwords.PasswordError, match="commonest"):
            passwords.check_new_password(password, "rita")
        break
    assert passwords._common_passwords() >= set(known)
