"""Answers to strangers: none has a path, a host, a user or a name, whatever is broken."""

from pathlib import Path

import pytest

from callytics.config import PROJECT_DIR
from tests.security.walk import addresses
from tests.support.processes import fresh_environment
from tests.support.shelf import STARTED_AT, Shelf, wav_bytes

HOST, USER, SECRET = "db.internal.example", "dbowner", "hush-hush"


def away(environment: dict[str, str]) -> dict[str, str]:
    """A database on a host that does not answer."""
    return {**environment, "DATABASE_URL": f"postgresql://{USER}:{SECRET}@{HOST}:1/calls"}


def unmounted(environment: dict[str, str]) -> dict[str, str]:
    """A folder that is gone."""
    return {**environment, "RECORDINGS_DIR": str(Path(environment["RECORDINGS_DIR"]) / "gone")}


def closed(environment: dict[str, str]) -> dict[str, str]:
    """A folder that is a file."""
    path = Path(environment["RECORDINGS_DIR"]) / "file"
    path.write_text("")
    return {**environment, "RECORDINGS_DIR": str(path)}


def well(environment: dict[str, str]) -> dict[str, str]:
    return environment


def empty(environment: dict[str, str]) -> dict[str, str]:
    """A database without its tables."""
    path = Path(environment["CALLYTICS_INSTANCE"]) / "empty.db"
    return {**environment, "DATABASE_URL": f"sqlite:///{path}"}


def words_to_hide(environment: dict[str, str]) -> list[str]:
    folders = (environment["RECORDINGS_DIR"], environment["CALLYTICS_INSTANCE"], str(PROJECT_DIR))
    said = (*folders, "/tmp/", "/root/", HOST, USER, SECRET, "127.0.0.1", "rita", "Erika")
    return [*said, environment["ARI_URL"], environment["SECRET_KEY"]]


@pytest.mark.parametrize("broken", [well, away, unmounted, closed, empty])
def test_no_route_tells_a_stranger_where_anything_is(shelf: Shelf, broken) -> None:
    facts = shelf.add(wav_bytes(bytes(40)), caller_name="Erika", started_at=STARTED_AT)
    environment = broken(shelf.environment)
    app = Shelf.of(environment).app
    client = app.test_client()
    told, tried = [], 0
    for method in ("GET", "POST"):
        for _endpoint, url in addresses(app, method, uid=facts.uid):
            for headers in ({}, {"HX-Request": "true"}):
                answer = client.open(url, method=method, headers=headers, buffered=True)
                text = answer.get_data(as_text=True) + str(answer.headers)
                told += [(url, word) for word in words_to_hide(environment) if word in text]
                tried += 1
    assert tried > 150
    assert told == []


def test_an_administrator_is_told_where_and_a_reviewer_is_not(shelf: Shelf) -> None:
    folder = shelf.storage.root
    ada, rita = shelf.client("ada"), shelf.client("rita")
    gone = folder.with_name("unmounted")
    folder.rename(gone)
    try:
        said = [client.get("/readyz").json["checks"]["folder"]["says"] for client in (ada, rita)]
    finally:
        gone.rename(folder)
    assert str(folder) in said[0]
    assert str(folder) not in said[1] and "does not exist" in said[1]


def test_a_former_administrator_of_a_lost_database_is_told_nothing(tmp_path: Path, shelf) -> None:
    ada = shelf.client("ada")
    broken = Shelf.of(away(fresh_environment(tmp_path)))
    client = broken.app.test_client()
    client.set_cookie("callytics_session", ada.get_cookie("callytics_session").value)
    assert HOST not in client.get("/readyz").text
