"""User accounts: valid names and roles, and the storage of passwords."""

import sqlite3

import pytest
from flask import Flask
from sqlalchemy import update

from callytics.audit.admin_changes import changes_of
from callytics.database.transactions import writing
from callytics.people import passwords
from callytics.people.models import User
from callytics.people.users import UserError, add_user, all_users, sign_in, user_by_id
from tests.support.command import flask
from tests.support.processes import run_flask
from tests.support.shelf import Shelf

PASSWORD = "correct horse"


@pytest.fixture
def app(app_env: dict[str, str]):
    app = Shelf.of(app_env).app
    with app.app_context():
        yield app


def test_who_was_added_signs_in_with_the_right_password_only(app: Flask) -> None:
    add_user("rita", "reviewer", PASSWORD, changed_by="tests")
    row = sign_in("rita", PASSWORD)
    assert row and (row.username, row.role) == ("rita", "reviewer")
    assert user_by_id(row.id).username == "rita"
    for name, password in (("rita", "wrong horse"), ("rita", "")):
        assert sign_in(name, password) is None
    assert sign_in("Rita", PASSWORD).id == row.id, "in any spelling"


def test_names_of_older_versions_that_differ_in_case_are_two_people(app: Flask) -> None:
    add_user("rita", "reviewer", PASSWORD, changed_by="tests")
    add_user("carl", "reviewer", "seven horses", changed_by="tests")
    with writing() as connection:
        connection.execute(update(User).where(User.username == "carl").values(username="Rita"))
    assert sign_in("rita", PASSWORD).username == "rita"
    assert sign_in("Rita", "seven horses").username == "Rita"
    assert sign_in("RITA", PASSWORD) is None
    with pytest.raises(UserError, match="exists already"):
        add_user("RITA", "admin", PASSWORD, changed_by="tests")


def test_nobody_else_signs_in(app: Flask) -> None:
    assert sign_in("nobody", "nobody has this password") is None
    assert sign_in("", "") is None
    assert user_by_id(7) is None


def test_a_password_is_kept_as_a_salted_hash(app: Flask, app_env: dict[str, str]) -> None:
    for name in ("rita", "adam"):
        add_user(name, "reviewer", PASSWORD, changed_by="tests")
    path = app_env["DATABASE_URL"].removeprefix("sqlite:///")
    connection = sqlite3.connect(path)
    hashes = [h for (h,) in connection.execute("SELECT password_hash FROM users")]
    connection.close()
    assert len(set(hashes)) == 2
    assert all(h.startswith("scrypt:") and PASSWORD not in h for h in hashes)


def test_an_unknown_name_takes_as_much_work_as_a_wrong_password(app, monkeypatch) -> None:
    add_user("rita", "reviewer", PASSWORD, changed_by="tests")
    checked = []
    check = passwords.check_password_hash
    monkeypatch.setattr(passwords, "check_password_hash", lambda *a: checked.append(a) or check(*a))
    sign_in("rita", "wrong horse")
    sign_in("nobody", "wrong horse")
    methods = [kept.split("$")[0] for kept, _ in checked]
    assert len(methods) == 2
    assert len(set(methods)) == 1


@pytest.mark.parametrize(
    ("name", "role", "password", "words"),
    [
        ("", "admin", PASSWORD, "name: must be 1 to 64"),
        ("a b", "admin", PASSWORD, "name: must be 1 to 64"),
        ("rita\n", "admin", PASSWORD, "name: must be 1 to 64"),
        ("x" * 65, "admin", PASSWORD, "name: must be 1 to 64"),
        ("r\u0456ta", "admin", PASSWORD, "name: must be 1 to 64"),
        ("Retention", "admin", PASSWORD, "name: Retention is a name that Callytics itself uses"),
        ("rita", "owner", PASSWORD, "role: must be one of admin, reviewer"),
        ("rita", "admin", "seven77", "password: must have at least 10"),
    ],
)
def test_who_cannot_be_added_is_told_why(app: Flask, name, role, password, words: str) -> None:
    with pytest.raises(UserError) as error:
        add_user(name, role, password, changed_by="tests")
    assert str(error.value).startswith(words)
    assert all_users() == []


def test_a_name_is_given_once(app: Flask) -> None:
    add_user("rita", "reviewer", PASSWORD, changed_by="tests")
    with pytest.raises(UserError, match="rita exists already"):
        add_user("rita", "admin", "another password", changed_by="tests")
    assert sign_in("rita", PASSWORD).role == "reviewer"


def test_on_the_command_line_the_password_comes_from_standard_input(app_env) -> None:
    add = ("users", "add", "rita", "--role", "reviewer", "--password-stdin")
    done = run_flask(app_env, *add, text=f"{PASSWORD}\n")
    assert done.stdout == "rita can sign in as reviewer.\n"
    assert run_flask(app_env, "users", "list").stdout == "rita\treviewer\n"
    with Shelf.of(app_env).app.app_context():
        assert sign_in("rita", PASSWORD)
    again = flask(app_env, *add, text=f"{PASSWORD}\n", check=False)
    assert again.returncode == 1
    assert "exists already" in again.stderr
    assert PASSWORD not in again.stdout + again.stderr


def test_on_the_command_line_phone_and_password_are_set_and_kept_with_who_did_it(app_env) -> None:
    add = ("users", "add", "rita", "--role", "reviewer", "--password-stdin")
    flask(app_env, *add, "--endpoint", "PJSIP/rita", text=f"{PASSWORD}\n")
    assert flask(app_env, "users", "list").stdout == "rita\treviewer\tPJSIP/rita\n"
    done = run_flask(app_env, "users", "set-endpoint", "rita", "PJSIP/201")
    assert done.stdout == "The phone of rita is PJSIP/201.\n"
    set_password = ("users", "set-password", "rita", "--password-stdin")
    run_flask(app_env, *set_password, text="seven horses\n")
    with Shelf.of(app_env).app.app_context():
        row = sign_in("rita", "seven horses")
        assert row.endpoint == "PJSIP/201"
        assert not sign_in("rita", PASSWORD)
        changes = [(c.thing, c.after) for c in changes_of("person", 9) if c.username]
    assert changes == [
        ("person rita password", "a new one"),
        ("person rita phone", "PJSIP/201"),
        ("person rita", "added as reviewer"),
    ]


@pytest.mark.parametrize(
    ("command", "text", "words"),
    [
        (("set-endpoint", "nobody", "PJSIP/a"), "", "there is no nobody"),
        (("set-endpoint", "rita", "alice"), "", "phone: must be a dial string"),
        (("set-password", "nobody", "--password-stdin"), f"{PASSWORD}\n", "there is no nobody"),
        (("set-password", "rita", "--password-stdin"), "short\n", "must have at least 10"),
    ],
)
def test_on_the_command_line_what_cannot_be_set_is_told(app_env, command, text, words) -> None:
    with Shelf.of(app_env).app.app_context():
        add_user("rita", "reviewer", PASSWORD, changed_by="tests")
    done = flask(app_env, "users", *command, text=text, check=False)
    assert done.returncode == 1
    assert words in done.stderr
