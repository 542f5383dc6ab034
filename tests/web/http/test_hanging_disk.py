"""A disk that hangs and a database that is locked: other requests are answered meanwhile."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import requests

from callytics.recordings.facts import Facts
from tests.support.processes import Web
from tests.support.shelf import TOKEN, Shelf, signed_in, wav_bytes, without_keeping
from tests.support.waiting import wait_until

HANGING_DISK = str(Path(__file__).parents[2] / "support/hanging_disk")
# More than there are threads for the disk.
PLAYS = 9


@pytest.fixture
def recording(app_env: dict[str, str]) -> Facts:
    shelf = Shelf.of(app_env)
    shelf.add_person("ada", "admin")
    return shelf.add(wav_bytes(b"\x40\x01" * 800))


@pytest.fixture
def hangs(tmp_path: Path) -> Path:
    """File that makes the disk hang while it is there."""
    return tmp_path / "hangs"


@pytest.fixture
def web(app_env: dict[str, str], recording: Facts, hangs: Path, tmp_path: Path) -> Iterator[Web]:
    environment = {
        **app_env,
        "PYTHONPATH": HANGING_DISK,
        "DISK_HANGS_WHILE": str(hangs),
        "DISK_HANGS_UNDER": app_env["RECORDINGS_DIR"],
    }
    with Web(environment, tmp_path) as web:
        yield web
        hangs.unlink(missing_ok=True)


def test_others_are_answered_while_the_disk_hangs_and_the_database_is_locked(
    web: Web, app_env: dict[str, str], recording: Facts, hangs: Path
) -> None:
    ada = without_keeping(signed_in(web.url, "ada"))
    page = f"{web.url}/recordings/{recording.uid}"
    token = TOKEN.search(ada.get(page, timeout=60).text)
    assert token
    form = {"csrf_token": token[1], "text": "refund promised"}
    path = app_env["DATABASE_URL"].removeprefix("sqlite:///")
    with ThreadPoolExecutor(PLAYS + 4) as pool, closing(sqlite3.connect(path)) as somebody:
        somebody.execute("BEGIN IMMEDIATE")
        hangs.touch()
        waiting: dict[str, Future[requests.Response]] = {
            "readyz": pool.submit(requests.get, f"{web.url}/readyz", timeout=60),
            "note": pool.submit(ada.post, f"{page}/notes", data=form, timeout=60),
            "delete": pool.submit(ada.post, f"{page}/delete", data=form, timeout=60),
            "player": pool.submit(ada.get, f"{page}/player", timeout=60),
        }
        for number in range(PLAYS):
            play = pool.submit(ada.get, f"{page}/audio", timeout=60)
            waiting[f"play {number}"] = play
        healthy: list[float] = []
        while any(not future.done() for future in waiting.values()):
            answer = requests.get(f"{web.url}/healthz", timeout=60)
            assert answer.ok
            healthy.append(answer.elapsed.total_seconds())
        said = {name: future.result() for name, future in waiting.items()}
        # What holds up one request holds up no other.
        assert max(healthy) < said["note"].elapsed.total_seconds() / 4
        assert max(healthy) < said["play 0"].elapsed.total_seconds() / 4
        assert "does not answer" in said["readyz"].text or "no answer" in said["readyz"].text
        assert said["readyz"].status_code == 503
        assert said["note"].status_code == 503
        assert said["delete"].status_code == 409
        assert {said[f"play {n}"].status_code for n in range(PLAYS)} == {500}
        somebody.rollback()
        hangs.unlink()
    wait_until(lambda: ada.get(f"{page}/audio", timeout=60).ok, "the disk is back")
    assert ada.post(f"{page}/notes", data=form, timeout=60).ok
