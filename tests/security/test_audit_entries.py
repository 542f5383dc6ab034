"""Audit entries: signing in and out, and everything that hands out recordings, leave one."""

import sqlite3
from pathlib import Path

import pytest

from callytics.audit.access_log import UIDS_OF_ENTRY
from callytics.people.names import NAME_MAX
from callytics.web.auth import attempts
from callytics.web.recordings import bulk_actions
from tests.security.walk import addresses, forms
from tests.support.rows import rows
from tests.support.shelf import PASSWORD, Shelf, wav_bytes

WAV = wav_bytes(bytes(4000))
GUESS = "a guess that nobody may read"


def entries(shelf: Shelf) -> list[tuple[str, str]]:
    found = rows(shelf.environment, "SELECT * FROM audit_entries ORDER BY id")
    return [(row["username"], row["action"]) for row in found]


def names(shelf: Shelf) -> list[str]:
    """Return the uids that entries since the start name."""
    found = rows(shelf.environment, "SELECT * FROM audit_entries")
    return [uid for row in found for uid in (row["recording_uid"], *row["detail"].split())]


def test_signing_in_and_out_is_kept_with_the_account_and_the_address(shelf: Shelf) -> None:
    client = shelf.app.test_client()
    client.send("/login", {"username": " RITA", "password": GUESS})
    client.send("/login", {"username": "Nobody", "password": GUESS})
    client.send("/login", {"username": "Rita", "password": PASSWORD})
    client.send("/account", {"current": GUESS, "password": GUESS, "again": GUESS})
    client.send("/logout")
    assert entries(shelf) == [
        ("rita", "sign in failed"),
        ("nobody", "sign in failed"),
        ("rita", "sign in"),
        ("rita", "password change failed"),
        ("rita", "sign out"),
    ]
    found = rows(shelf.environment, "SELECT * FROM audit_entries ORDER BY id")
    assert [row["user_id"] is None for row in found] == [True, True, False, False, False]
    assert {row["detail"] for row in found} == {"from 127.0.0.1"}


def test_an_attempt_over_the_limit_is_kept_once(shelf: Shelf) -> None:
    client = shelf.app.test_client()
    for _ in range(attempts.PER_NAME.amount + 10):
        client.send("/login", {"username": "rita", "password": GUESS})
    actions = [action for _name, action in entries(shelf)]
    assert actions.count("sign in failed") == attempts.PER_NAME.amount
    assert actions.count("sign in refused") == 1


@pytest.mark.parametrize(
    "name", ["x" * 5000, "\0" * 5000, "\x1b[2Jrita\n\r", "'; DROP TABLE users"]
)
def test_a_typed_name_is_cut_and_has_no_control_characters(shelf: Shelf, name: str) -> None:
    shelf.app.test_client().send("/login", {"username": name, "password": GUESS})
    ((kept, action),) = entries(shelf)
    assert action == "sign in failed"
    assert len(kept) <= NAME_MAX and kept.isprintable() and " " not in kept


def test_no_password_of_any_form_is_in_the_database(shelf: Shelf) -> None:
    shelf.add_person("carl")
    client = shelf.client("ada")
    carl = {row["username"]: row["id"] for row in rows(shelf.environment, "SELECT * FROM users")}
    found = [f for f in forms(client, user_id=carl["carl"]) if f.named("password")]
    assert len(found) >= 3
    for number, form in enumerate(found):
        guess = f"{GUESS} {number}"
        client.send(form.action, {**form.values, **dict.fromkeys(form.named("password"), guess)})
    shelf.app.test_client().send("/login", {"username": "rita", "password": GUESS})
    path = Path(shelf.environment["DATABASE_URL"].removeprefix("sqlite:///"))
    for file in path.parent.glob("**/*"):
        if file.is_file():
            assert GUESS.encode() not in file.read_bytes(), file


def test_whatever_hands_out_recordings_names_them_in_the_audit(shelf: Shelf) -> None:
    """Every route and every form whose answer is a file or sound."""
    sound, lost = shelf.add(WAV), shelf.add(None)
    client = shelf.client("rita")
    handed_out = []
    for _endpoint, url in addresses(shelf.app, "GET", uid=sound.uid):
        answer = client.get(url, buffered=True)
        if "attachment" in answer.headers.get("Content-Disposition", "") or answer.data == WAV:
            handed_out.append(url)
            assert sound.uid in names(shelf), url
    for form in forms(client, uid=sound.uid):
        if "uid" in form.values or "/many/" in form.action:
            forget(shelf)
            data = {**form.values, "uid": [sound.uid, lost.uid]}
            answer = client.send(form.action, data, buffered=True)
            if "attachment" in answer.headers.get("Content-Disposition", ""):
                handed_out.append(form.action)
                told = [facts.uid for facts in (sound, lost) if facts.uid.encode() in answer.data]
                assert told == [sound.uid, lost.uid], form.action
                assert set(told) <= set(names(shelf)), form.action
    assert len(handed_out) >= 3, handed_out


def forget(shelf: Shelf) -> None:
    path = shelf.environment["DATABASE_URL"].removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM audit_entries")
    connection.close()


def test_an_export_of_all_names_each_recording_once(shelf: Shelf, monkeypatch) -> None:
    monkeypatch.setattr("callytics.audit.access_log.UIDS_OF_ENTRY", 7)
    uids = [shelf.add(None, caller_name=f"Caller {n}").uid for n in range(60)]
    client = shelf.client("rita")
    client.send("/recordings/many/export", {"all": "yes"}, buffered=True)
    found = rows(shelf.environment, "SELECT * FROM audit_entries WHERE action = 'exported'")
    named = [uid for row in found for uid in row["detail"].split()]
    assert sorted(named) == sorted(uids)
    assert UIDS_OF_ENTRY == 500 and len(found) > 5


@pytest.mark.parametrize("what", ["export", "download"])
def test_without_an_entry_nothing_is_exported(shelf: Shelf, monkeypatch, what: str) -> None:
    sound = shelf.add(WAV)
    client = shelf.client("rita")
    token = client.token()
    rename = "ALTER TABLE {} RENAME TO {}"
    path = shelf.environment["DATABASE_URL"].removeprefix("sqlite:///")
    with sqlite3.connect(path) as connection:
        connection.execute(rename.format("audit_entries", "away"))
    connection.close()
    monkeypatch.setattr(bulk_actions.access_log, "log_access", lambda *_args: None)
    data = {"uid": sound.uid, "csrf_token": token}
    answer = client.post(f"/recordings/many/{what}", data=data, buffered=True)
    assert answer.status_code == 503
    assert sound.uid.encode() not in answer.data and WAV not in answer.data
