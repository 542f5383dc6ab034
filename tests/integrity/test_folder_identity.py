"""Identity of the recordings folder: in another one, or without its disk, nothing is judged."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from callytics.integrity import adoption, reconcile
from callytics.recordings.deletion import DeletionError, delete_recording
from callytics.recordings.finalization import finalize
from callytics.recordings.folder_identity import stored_id
from callytics.retention import policy
from callytics.settings.settings import set_setting
from callytics.storage.folder import MARKER, Storage
from tests.support.command import flask
from tests.support.disorder import Disorder, disorder

NO_MARKER = f"there is no {MARKER} in it"


@pytest.fixture
def lib(any_env: dict[str, str]) -> Iterator[Disorder]:
    with disorder(any_env) as library:
        yield library


def marker(lib: Disorder) -> Path:
    return lib.shelf.storage.root / MARKER


def unmount(lib: Disorder) -> Path:
    """Leave an empty folder in place of the one with the recordings; return where that is."""
    root: Path = lib.shelf.storage.root
    root.rename(root.with_name("the disk"))
    root.mkdir()
    return root.with_name("the disk")


@pytest.fixture
def unmounted(lib: Disorder) -> Disorder:
    """A library whose disk was lost, and 60 calls that were recorded since."""
    for number in range(3):
        lib.add(uid=f"old-{number}", started_at=lib.now - timedelta(days=40))
    lib.reconcile()
    unmount(lib)
    for number in range(60):
        lib.add(uid=f"new-{number}")
    return lib


def test_the_folder_of_a_new_installation_is_marked(lib: Disorder) -> None:
    lib.reconcile()
    assert marker(lib).read_text().strip() == stored_id() == lib.shelf.storage.expected_id
    before = marker(lib).read_text()
    lib.reconcile()
    assert marker(lib).read_text() == before


def test_verify_marks_nothing(lib: Disorder) -> None:
    lib.add()
    lib.verify()
    assert not marker(lib).exists()


def test_the_folder_of_an_installation_from_before_is_adopted(lib: Disorder) -> None:
    for _ in range(12):
        lib.add()
    lib.reconcile()
    assert marker(lib).read_text().strip() == stored_id()


def test_calls_that_were_recorded_since_a_disk_was_lost_do_not_make_it_the_right_one(
    lib: Disorder,
) -> None:
    for number in range(60):
        lib.add(uid=f"a{number}", started_at=lib.now - timedelta(days=40))
    unmount(lib)
    for number in range(60):
        lib.add(uid=f"b{number}")
    with pytest.raises(reconcile.WrongFolderError, match="Nothing was changed"):
        lib.reconcile()
    assert not marker(lib).exists()


def test_without_its_disk_nothing_is_judged_or_deleted(unmounted: Disorder) -> None:
    rows = unmounted.rows()
    for run in (unmounted.verify, unmounted.reconcile):
        with pytest.raises(reconcile.WrongFolderError, match=NO_MARKER):
            run()
    set_setting("retention_days", "30", "ada")
    with pytest.raises(reconcile.FolderError, match=NO_MARKER):
        list(policy.delete_expired(unmounted.context(), confirmed=True))
    unmounted.open(None)
    with pytest.raises(reconcile.FolderError, match=NO_MARKER):
        reconcile.finalize_open_recordings(unmounted.context())
    for uid in ("old-1", "new-1"):
        with pytest.raises(DeletionError, match=NO_MARKER):
            delete_recording(unmounted.shelf.storage, unmounted.shelf.row(rows[uid]), "ada")
    assert unmounted.rows().items() >= rows.items()


def test_without_its_disk_every_command_says_so(unmounted: Disorder) -> None:
    environment = unmounted.shelf.environment
    for command in ("verify", "reconcile"):
        done = flask(environment, "recordings", command, check=False)
        assert done.returncode == 1
        assert NO_MARKER in done.stderr
        assert "--folder-is-right" in done.stderr
    assert NO_MARKER in flask(environment, "doctor", check=False).stdout


def test_without_its_disk_a_page_marks_nothing_missing(unmounted: Disorder) -> None:
    shelf, (old, *_) = unmounted.shelf, unmounted.rows().values()
    shelf.add_person("ada", "admin")
    ada = shelf.client("ada")
    assert ada.get("/recordings/old-0/audio").status_code == 404
    assert unmounted.row(old).state == "available"
    folder = ada.get("/readyz").json["checks"]["folder"]
    assert not folder["ok"]
    assert NO_MARKER in folder["says"]


def test_another_library_is_told_from_a_disk_that_is_away(lib: Disorder) -> None:
    lib.add()
    lib.reconcile()
    marker(lib).write_text("another\n")
    with pytest.raises(reconcile.WrongFolderError, match="has another id"):
        lib.verify()


def test_the_operator_may_say_that_it_is_the_right_one(unmounted: Disorder) -> None:
    gone = [said for said in unmounted.verify(skip_folder_check=True) if "missing" in said]
    assert len(gone) == 3
    with pytest.raises(reconcile.WrongFolderError):
        unmounted.verify()
    unmounted.reconcile(skip_folder_check=True)
    assert marker(unmounted).read_text().strip() == stored_id()
    assert unmounted.verify() == []


def test_a_database_from_before_the_marker_takes_its_id(lib: Disorder, tmp_path: Path) -> None:
    lib.add()
    marker(lib).write_text("made earlier\n")
    lib.reconcile()
    assert stored_id() == "made earlier"


def test_a_folder_is_marked_again_while_no_recording_can_be_lost(lib: Disorder) -> None:
    lib.reconcile()
    unmount(lib)
    lib.add(state="failed")
    assert adoption.adopt(lib.shelf.storage) is None
    assert marker(lib).read_text().strip() == stored_id()


def test_what_is_recorded_into_another_folder_says_so(lib: Disorder) -> None:
    lib.reconcile()
    unmount(lib)
    storage: Storage = lib.shelf.storage
    lib.add()
    assert NO_MARKER in (adoption.adopt(storage) or "")
    final = finalize(storage, lib.open(b"\x10" * 8000, format="ulaw"), lib.now)
    assert final.state == "available"
    assert NO_MARKER in final.state_reason


def test_two_that_mark_at_once_agree(lib: Disorder) -> None:
    storage: Storage = lib.shelf.storage
    assert storage.mark("first") == "first"
    assert storage.mark("second") == "first"
