"""End of a session, for every copy of its cookie."""

import pytest

from callytics.people import users
from callytics.web.auth import attempts
from tests.support.pages import PageClient, text_of
from tests.support.shelf import PASSWORD, Shelf

NEW = "seven horses"


@pytest.fixture
def rita(shelf: Shelf) -> PageClient:
    return shelf.client("rita")


def copy_of(client: PageClient, shelf: Shelf) -> PageClient:
    """Return another browser with the same cookie."""
    copy = shelf.app.test_client()
    copy.set_cookie("callytics_session", client.get_cookie("callytics_session").value)
    return copy


def is_signed_in(client: PageClient) -> bool:
    # Twice, so that a cache that ignores the end of the session would be noticed.

    codes = {client.get("/recordings").status_code for _ in range(2)}
    assert len(codes) == 1
    return codes == {200}


def user_id(shelf: Shelf, name: str = "rita") -> int:
    with shelf.app.app_context():
        return users.user_named(name).id


def end_sessions(shelf: Shelf) -> None:
    shelf.client("ada").send(f"/users/{user_id(shelf)}/sessions")


def set_password(shelf: Shelf) -> None:
    shelf.client("ada").send(f"/users/{user_id(shelf)}/password", {"password": NEW})


def remove(shelf: Shelf) -> None:
    shelf.client("ada").send(f"/users/{user_id(shelf)}/remove")


@pytest.mark.parametrize("end", [end_sessions, set_password, remove])
def test_an_administrator_ends_every_session_of_a_person_at_once(shelf, rita, end):
    others = [copy_of(rita, shelf), shelf.client("rita")]
    assert all(map(is_signed_in, (rita, *others)))
    end(shelf)
    assert not any(map(is_signed_in, (rita, *others)))


def test_a_copied_cookie_does_not_outlive_the_sign_out(shelf, rita):
    copy = copy_of(rita, shelf)
    assert is_signed_in(copy)
    rita.send("/logout")
    assert not is_signed_in(rita)
    assert not is_signed_in(copy)
    assert is_signed_in(shelf.client("rita")), "who signs in again is in"


def test_a_sign_out_ends_nobody_elses_session(shelf, rita):
    ada = shelf.client("ada")
    rita.send("/logout")
    assert is_signed_in(ada)


def test_who_signs_out_everywhere_is_told_so_before(rita):
    assert "Signs you out here and in every other browser" in rita.get("/calls").get_data(True)


def test_a_session_from_before_there_were_keys_goes_on_until_something_ends_it(shelf, rita):
    with shelf.app.app_context(), users.writing() as connection:
        connection.execute(users.update(users.User).values(session_key=""))
    with rita.session_transaction() as session:
        del session["key"]
    assert is_signed_in(rita)
    end_sessions(shelf)
    assert not is_signed_in(rita)


def test_a_new_person_with_the_number_of_a_removed_one_is_somebody_else(shelf, rita):
    number = user_id(shelf)
    remove(shelf)
    shelf.add_person("carl", "admin")
    assert user_id(shelf, "carl") > number, "no number is given twice"
    with shelf.app.app_context(), users.writing() as connection:
        carl = users.User.username == "carl"
        connection.execute(users.update(users.User).where(carl).values(id=number))
    assert not is_signed_in(rita)


def change(client: PageClient, current: str, password: str = NEW, again: str | None = None):
    form = {"current": current, "password": password, "again": again or password}
    return client.send("/account", form)


def test_whoever_changes_their_password_stays_signed_in_here_and_nowhere_else(shelf, rita):
    copy = copy_of(rita, shelf)
    assert change(rita, PASSWORD).status_code == 303
    assert "Your password is changed." in text_of(rita.get("/account"))
    assert is_signed_in(rita)
    assert not is_signed_in(copy)
    with shelf.app.app_context():
        assert users.sign_in("rita", NEW)


def test_an_administrator_who_sets_their_own_password_stays_signed_in(shelf):
    ada = shelf.client("ada")
    copy = copy_of(ada, shelf)
    ada.send(f"/users/{user_id(shelf, 'ada')}/password", {"password": NEW})
    assert is_signed_in(ada)
    assert not is_signed_in(copy)


@pytest.mark.parametrize(
    ("current", "password", "again", "status", "words"),
    [
        ("wrong horse", NEW, NEW, 403, "This is not your password now."),
        (PASSWORD, NEW, "another one", 400, "The two are not the same."),
        (PASSWORD, "short", "short", 400, "password: must have at least 10"),
    ],
)
def test_a_password_that_cannot_be_changed_says_why(
    shelf, rita, current, password, again, status, words
):
    answer = change(rita, current, password, again)
    assert answer.status_code == status
    assert words in text_of(answer)
    assert is_signed_in(rita)
    with shelf.app.app_context():
        assert users.sign_in("rita", PASSWORD)


def test_the_old_password_cannot_be_guessed_fast(shelf, rita):
    for _ in range(attempts.PER_BROWSER.amount):
        assert change(rita, "wrong horse").status_code == 403
    assert change(rita, PASSWORD).status_code == 429
    with shelf.app.app_context():
        assert users.sign_in("rita", PASSWORD)
