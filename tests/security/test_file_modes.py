"""Modes of files: whatever a process of the product makes, other users cannot read it."""

import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from callytics.storage.folder import Storage
from callytics.storage.private_files import readable_by_others
from tests.support.asterisk import AsteriskServer
from tests.support.command import flask
from tests.support.process import PROJECT
from tests.support.processes import Web, Worker, fresh_environment, run_flask
from tests.support.rows import ended_calls, recordings_in, use_flow
from tests.support.shelf import PASSWORD, signed_in
from tests.support.waiting import wait_until

ADD_ADA = ("users", "add", "ada", "--role", "admin", "--password-stdin")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody may enter, while nothing but the product restricts what is made."""
    before = os.umask(0)
    folder = Path(tempfile.mkdtemp(prefix="callytics-modes-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        os.umask(before)
        shutil.rmtree(folder)


@pytest.fixture
def environment(open_folder: Path) -> dict[str, str]:
    """The environment of a new installation there, with nothing made yet but the shared folder."""
    made = fresh_environment(open_folder)
    (open_folder / "instance").rmdir()
    (open_folder / "recordings").chmod(0o2770)
    del made["SECRET_KEY"]
    return {**made, "DATABASE_URL": f"sqlite:///{open_folder}/instance/callytics.db"}


def modes(folder: Path) -> dict[str, int]:
    """Return the mode of each file and folder in a folder."""
    return {str(p): stat.S_IMODE(p.lstat().st_mode) for p in [folder, *folder.rglob("*")]}


def too_open(folder: Path, mask: int) -> list[str]:
    """Return what gives any of `mask`; sockets are closed by their folder."""
    return [f"{mode:o} {path}" for path, mode in modes(folder).items() if mode & mask]


def test_nothing_that_commands_web_and_worker_make_is_for_others(
    environment: dict[str, str], open_folder: Path
) -> None:
    run_flask(environment, "db", "upgrade")
    run_flask(environment, *ADD_ADA, text=f"{PASSWORD}\n")
    run_flask(environment, "flows", "import", "deploy/sample_flow.json")
    with Web(environment, open_folder, forked=False) as web:
        signed_in(web.url, "ada").close()
        worker = Worker(environment, open_folder, forked=False)
        worker.spawn()
        try:
            made = open_folder / "recordings"
            wait_until(lambda: any(p.is_file() for p in made.rglob("*")), "the worker wrote")
        finally:
            worker.kill()
            worker.hide_logs()
    names = {path.name for path in (open_folder / "instance").iterdir()}
    assert names >= {"callytics.db", "secret_key", "sign_in_attempts.db"}
    assert too_open(open_folder / "instance", 0o077) == []
    assert too_open(open_folder / "recordings", 0o007) == []


def test_recordings_and_facts_are_for_the_group_of_their_folder(open_folder: Path) -> None:
    folder = open_folder / "recordings"
    folder.mkdir(mode=0o700)
    folder.chmod(0o2770)
    if os.geteuid() == 0:
        os.chown(folder, 4711, 4712)
    storage = Storage(folder)
    os.umask(0o077)
    storage.write("2026/11/22/a.json", b"{}")
    storage.write_once("2026/11/22/b.json", b"{}")
    os.close(storage.open_lock_file(".lock"))
    for path in folder.rglob("*"):
        found = path.stat()
        wanted = 0o2770 if path.is_dir() else 0o640
        assert (stat.S_IMODE(found.st_mode), found.st_gid) == (wanted, folder.stat().st_gid), path


def test_what_asterisk_records_is_for_the_group_of_the_folder(
    asterisk: AsteriskServer, live_env: dict[str, str], tmp_path: Path
) -> None:
    Path(live_env["RECORDINGS_DIR"]).chmod(0o2770)
    use_flow(live_env, {"desk": {"type": "voicemail", "greeting": asterisk.add_tone(700, 0.2)}})
    with Worker(live_env, tmp_path, forked=False):
        asterisk.place_call("1000", "leave440_2_#")
        ended_calls(live_env)
        (kept,) = recordings_in(live_env, "available")
    folder = Path(live_env["RECORDINGS_DIR"])
    found = {path: mode for path, mode in modes(folder).items() if "/2" in path}
    assert str(folder / kept["path"]) in found
    assert {m for path, m in found.items() if Path(path).is_file()} == {0o640}
    assert {m for path, m in found.items() if Path(path).is_dir()} == {0o2770}


@pytest.mark.parametrize(
    ("what", "mode", "mend"),
    [
        ("instance", 0o750, "chmod 700"),
        ("instance", 0o755, "chmod 700"),
        ("database", 0o644, "chmod 600"),
        ("database", 0o640, "chmod 600"),
        ("recordings", 0o2775, "chmod 2770"),
        ("recordings", 0o755, "chmod 2770"),
    ],
)
def test_the_doctor_names_what_is_too_open(environment, open_folder, what, mode, mend) -> None:
    (open_folder / "instance").mkdir(mode=0o700)
    database = open_folder / "callytics.db"
    opened = {**environment, "DATABASE_URL": f"sqlite:///{database}"}
    paths = {"instance": open_folder / "instance", "database": database}
    paths |= {"recordings": open_folder / "recordings"}
    database.touch(mode=0o600)
    assert "ok    private files" in flask(opened, "doctor", check=False).stdout
    database.chmod(0o600)
    paths[what].chmod(mode)
    said = flask(opened, "doctor", check=False).stdout
    (line,) = [line for line in said.splitlines() if "private files" in line]
    assert line.startswith("FAIL") and f"{mend} {paths[what]}" in line
    # Of a database also the two files of SQLite beside it.
    assert line.count("chmod") == line.count(str(paths[what]))


def test_a_closed_folder_closes_what_is_in_it(open_folder: Path) -> None:
    path = open_folder / "a" / "b"
    path.parent.mkdir(mode=0o700)
    path.touch()
    path.chmod(0o666)
    assert not readable_by_others(path)
    path.parent.chmod(0o711)
    assert readable_by_others(path)
    path.chmod(0o660)
    assert readable_by_others(path) and not readable_by_others(path, group=False)
    assert not readable_by_others(open_folder / "nothing")


def test_containers_have_the_same_modes() -> None:
    for name in ("Dockerfile", "asterisk.Dockerfile"):
        text = (PROJECT / "deploy" / name).read_text()
        folders = re.findall(r"install -d -o callytics -g callytics -m (\d+) (\S+)", text)
        assert dict(map(reversed, folders))["/var/lib/asterisk/recording"] == "2770"
        assert sorted(mode for mode, _path in folders) == ["2770", "700"]
        assert text.count("install -d") == len(folders)
