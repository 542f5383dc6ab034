"""`flask about`: version, database, folder, store and PBXs, and no secret."""

from pathlib import Path

from callytics.clock import utc_now
from callytics.version import __version__
from tests.support.pbxs import record_heartbeat
from tests.support.processes import fresh_environment, run_flask
from tests.support.shelf import Shelf


def about(shelf: Shelf) -> tuple[int, list[str]]:
    """Return the exit code and the lines of the command."""
    with shelf.app.app_context():
        done = shelf.app.test_cli_runner().invoke(args=["about"])
    return done.exit_code, done.output.splitlines()


def test_it_names_version_database_folder_store_and_pbx(app_env: dict[str, str]) -> None:
    shelf = Shelf.of(app_env)
    with shelf.app.app_context():
        record_heartbeat("pbx-1", utc_now(), utc_now(), "22.10.1")
        record_heartbeat("pbx-2", utc_now(), None, "")
    code, lines = about(shelf)
    assert code == 0
    assert lines[:5] == [
        f"version: {__version__}",
        f"database: {app_env['DATABASE_URL']}",
        f"folder: {app_env['RECORDINGS_DIR']}",
        "store: none, recordings stay in the folder",
        f"ARI: {app_env['ARI_URL']}, application callytics",
    ]
    assert len(lines) == 7
    assert lines[5].startswith("PBX: pbx-1, Asterisk 22.10.1, worker seen ")
    assert lines[6].startswith("PBX: pbx-2, not connected, worker seen ")


def test_it_is_a_command_of_flask(app_env: dict[str, str]) -> None:
    assert f"version: {__version__}\n" in run_flask(app_env, "about").stdout


def test_before_a_worker_has_reported_there_is_no_pbx(app_env: dict[str, str]) -> None:
    assert about(Shelf.of(app_env))[1][-1] == "PBX: none, no worker has reported yet"


def test_a_database_that_is_away_is_named_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://ann:hush@127.0.0.1:1/calls?sslpassword=hush2"
    code, lines = about(Shelf.of({**fresh_environment(tmp_path), "DATABASE_URL": url}))
    text = "\n".join(lines)
    assert code == 0
    assert "database: postgresql+psycopg://ann@127.0.0.1:1/calls" in lines
    assert "the database cannot be used" in text
    assert lines[-1] == "PBX: not known, since the database cannot be used"
    assert "hush" not in text


def test_tables_that_are_not_there_are_told(tmp_path: Path) -> None:
    code, lines = about(Shelf.of(fresh_environment(tmp_path)))
    assert code == 0
    assert "flask db upgrade" in "\n".join(lines)
