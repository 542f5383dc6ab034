"""`flask doctor`: each check of a host, passed, and failed with its remedy."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket

from callytics.clock import utc_now
from tests.support.asterisk import PASSWORD, AsteriskServer
from tests.support.command import flask
from tests.support.pbxs import record_heartbeat
from tests.support.processes import run_flask
from tests.support.shelf import Shelf, wav_bytes

NAMES = [
    *("database", "secret key", "private files", "recordings folder", "free disk"),
    *("newest recording", "worker"),
    *("Asterisk", "Stasis application", "shared folder"),
]


@pytest.fixture
def shelf(live_env: dict[str, str]) -> Shelf:
    """Return an installation with a real Asterisk and a live worker."""
    shelf = Shelf.of({**live_env, "SECRET_KEY": "long enough for any doctor"})
    note_worker(shelf)
    return shelf


@pytest.fixture
def application(asterisk: AsteriskServer) -> Iterator[None]:
    """Register the Stasis application by a WebSocket."""
    url = f"ws://127.0.0.1:{asterisk.http_port}/ari/events?app=callytics"
    listener = websocket.create_connection(f"{url}&api_key=callytics:{PASSWORD}", timeout=60)
    yield
    listener.close()


def note_worker(shelf: Shelf, problem: str = "") -> None:
    with shelf.app.app_context():
        record_heartbeat("node-1", utc_now(), utc_now(), "22.10.1", problem)


def look(shelf: Shelf, **changes: str) -> tuple[int, dict[str, str]]:
    """Run the doctor; return the exit code, and the line of each check by name."""
    app = Shelf.of({**shelf.environment, **changes}).app
    with app.app_context():
        done = app.test_cli_runner().invoke(args=["doctor"])
    return done.exit_code, by_name(done.output)


def by_name(output: str) -> dict[str, str]:
    lines = output.splitlines()
    names = [line[6:].partition(":")[0] for line in lines]
    assert names == NAMES, output
    return dict(zip(names, lines, strict=True))


def sick(lines: dict[str, str]) -> list[str]:
    return [name for name, line in lines.items() if line.startswith("FAIL")]


def test_where_all_is_well_every_line_says_so(shelf: Shelf, application: None) -> None:
    facts = shelf.add(wav_bytes(bytes(1600)))
    before = sorted(shelf.storage.root.rglob("*"))
    done = run_flask(shelf.environment, "doctor", check=False)
    lines = by_name(done.stdout)
    assert (done.returncode, sick(lines)) == (0, [])
    assert all(line.startswith("ok    ") for line in lines.values())
    assert facts.path in lines["newest recording"]
    assert sorted(shelf.storage.root.rglob("*")) == before  # nothing of the doctor's is left


def test_a_folder_that_asterisk_does_not_write_to_is_found(
    shelf: Shelf, application: None, asterisk: AsteriskServer, tmp_path: Path
) -> None:
    asterisk.use_recordings(tmp_path / "another")
    code, lines = look(shelf)
    assert (code, sick(lines)) == (1, ["shared folder"])
    assert "set RECORDINGS_DIR to that folder" in lines["shared folder"]
    assert list(shelf.storage.root.iterdir()) == []


def test_a_wrong_password_is_found(shelf: Shelf, application: None) -> None:
    done = flask({**shelf.environment, "ARI_PASSWORD": "wrong"}, "doctor", check=False)
    lines = by_name(done.stdout)
    assert (done.returncode, sick(lines)) == (1, ["Asterisk"])
    assert "ARI_USERNAME, ARI_PASSWORD" in lines["Asterisk"]
    assert "Asterisk must answer first" in lines["shared folder"]


def test_an_asterisk_that_is_not_there_is_found(shelf: Shelf) -> None:
    code, lines = look(shelf, ARI_URL="http://127.0.0.1:1/ari")
    assert (code, sick(lines)) == (1, ["Asterisk"])
    assert "ARI_URL" in lines["Asterisk"]


def test_an_application_that_nobody_registered_is_found(shelf: Shelf, application: None) -> None:
    code, lines = look(shelf, ARI_APP="another")
    assert (code, sick(lines)) == (1, ["Stasis application"])
    assert "ARI_APP" in lines["Stasis application"]


def test_a_worker_that_is_not_there_or_not_well_is_found(shelf: Shelf, application) -> None:
    note_worker(shelf, "another worker took the application")
    _, lines = look(shelf)
    assert sick(lines) == ["worker"]
    assert "another worker took" in lines["worker"]


def test_a_recording_that_cannot_be_played_is_found(shelf: Shelf, application: None) -> None:
    facts = shelf.add(wav_bytes(bytes(1600))[:30])
    _, lines = look(shelf)
    assert sick(lines) == ["newest recording"]
    assert facts.path in lines["newest recording"]


def test_a_recording_that_was_not_finished_is_found(shelf: Shelf, application: None) -> None:
    shelf.add(wav_bytes(b"")[:-4] + bytes(4) + b"\1\2" * 800)
    _, lines = look(shelf)
    assert sick(lines) == ["newest recording"]
    assert "flask recordings reconcile" in lines["newest recording"]


def test_a_key_that_others_can_read_or_guess_is_found(shelf: Shelf, application: None) -> None:
    kept = Path(shelf.environment["CALLYTICS_INSTANCE"]) / "secret_key"
    look(shelf, SECRET_KEY="")  # creates the file
    assert kept.exists()
    kept.chmod(0o644)
    _, lines = look(shelf, SECRET_KEY="")
    assert sick(lines) == ["secret key"]
    assert f"chmod 600 {kept}" in lines["secret key"]
    kept.chmod(0o600)
    _, lines = look(shelf, SECRET_KEY="short")
    assert sick(lines) == ["secret key"]
    assert "SECRET_KEY" in lines["secret key"]
    assert "short" not in lines["secret key"].replace("at least", "")


def test_a_disk_with_less_room_than_was_set_is_found(shelf: Shelf, application: None) -> None:
    flask(shelf.environment, "settings", "set", "disk_warning_mb", "100000000")
    code, lines = look(shelf)
    assert (code, sick(lines)) == (1, ["free disk"])
    assert "make room" in lines["free disk"]


def test_a_folder_that_is_gone_is_found(shelf: Shelf, application: None) -> None:
    shelf.storage.root.rmdir()
    code, lines = look(shelf)
    assert code == 1
    assert sick(lines) == ["recordings folder", "free disk", "shared folder"]
    shelf.storage.root.mkdir()


def test_tables_that_are_not_there_are_found(shelf: Shelf, application, tmp_path: Path) -> None:
    code, lines = look(shelf, DATABASE_URL=f"sqlite:///{tmp_path}/empty.db")
    assert code == 1
    assert sick(lines) == ["database", "free disk", "newest recording", "worker"]
    assert "flask db upgrade" in lines["database"]
