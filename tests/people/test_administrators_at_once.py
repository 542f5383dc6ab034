"""Concurrent changes of two administrators, on both databases: one always remains."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from flask import Flask

from callytics.audit.admin_changes import changes_of
from callytics.flows.document import check
from callytics.flows.versions import save
from callytics.people import users
from callytics.queues import membership
from callytics.settings.settings import (
    Overtaken,
    all_settings,
    change_settings,
    set_setting,
    take_back,
)
from tests.support.apps import new_app
from tests.support.shelf import PASSWORD

ADMINS = ("ada", "bob")
KEY = "retention_days"


@pytest.fixture
def app(any_env: dict[str, str]) -> Iterator[Flask]:
    app = new_app(any_env)
    with app.app_context():
        for name in ADMINS:
            users.add_user(name, "admin", PASSWORD, changed_by="tests")
        yield app


def both(app: Flask, *actions: Callable[[], Any]) -> list[Any]:
    """Run all actions at once; return the result or the exception of each."""
    line = Barrier(len(actions))

    def act(action: Callable[[], Any]) -> Any:
        with app.app_context():
            line.wait()
            try:
                return action()
            except Exception as error:
                return error

    with ThreadPoolExecutor(len(actions)) as threads:
        return list(threads.map(act, actions))


def ids() -> dict[str, int]:
    return {row.username: row.id for row in users.all_users()}


def test_of_two_administrators_who_remove_each_other_one_stays(app):
    for _ in range(10):
        ada, bob = (ids()[name] for name in ADMINS)
        both(app, partial(users.remove_user, bob, "ada"), partial(users.remove_user, ada, "bob"))
        (left,) = users.all_users()
        assert left.role == "admin"
        (gone,) = set(ADMINS) - {left.username}
        users.add_user(gone, "admin", PASSWORD, changed_by="tests")


def test_of_two_administrators_who_step_down_one_stays(app):
    for _ in range(10):
        for name in ADMINS:
            users.change_role(ids()[name], "admin", "tests")
        numbers = ids()
        done = both(app, *(partial(users.change_role, numbers[n], "reviewer", n) for n in ADMINS))
        assert sorted(row.role for row in users.all_users()) == ["admin", "reviewer"]
        (refused,) = [answer for answer in done if answer is not None]
        assert "is the last administrator" in str(refused)


def test_of_two_who_save_a_setting_that_both_saw_one_is_told(app):
    for days in range(1, 11):
        shown = all_settings()
        values = {"ada": str(days), "bob": str(days + 100)}
        done = both(app, *(partial(change_settings, {KEY: values[n]}, n, shown) for n in ADMINS))
        assert sum(isinstance(answer, Overtaken) for answer in done) == 1
        assert sum(answer == [KEY] for answer in done) == 1
    assert len(changes_of("setting", 50)) == 10
    assert changes_of("setting", 1)[0].after == all_settings()[KEY]


def test_a_change_that_two_take_back_at_once_is_taken_back_once(app):
    set_setting(KEY, "90", "ada")
    (change,) = changes_of("setting", 9)
    done = both(app, *(partial(take_back, change.id, name) for name in ADMINS))
    assert sum(answer == (KEY, "0") for answer in done) == 1
    assert sum("has changed it since" in str(answer) for answer in done) == 1
    assert [(c.before, c.after) for c in changes_of("setting", 9)] == [("90", "0"), ("0", "90")]


def test_a_member_who_is_paused_twice_at_once_is_paused_once(app):
    save(check({"queues": {"team": {"members": ["PJSIP/alice"]}}}), "tests")
    done = both(app, *(partial(membership.pause, "team", "PJSIP/alice", n) for n in ADMINS))
    assert done == [None, None]
    (change,) = changes_of("queue", 9)
    assert (change.thing, change.after) == ("queue team PJSIP/alice", "paused")
    both(app, *(partial(membership.resume, "team", "PJSIP/alice", n) for n in ADMINS))
    assert [c.after for c in changes_of("queue", 9)] == ["takes calls", "paused"]
