"""Storage: files under RECORDINGS_DIR can be opened, and nothing outside of it."""

import contextlib
import os
import secrets
import stat
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import read_facts, write_facts
from callytics.storage.folder import Storage, StorageError

SECRET = b"nobody may read this"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Create a folder with one recording, beside a file that must not be read."""
    (tmp_path / "secret").write_bytes(SECRET)
    day = tmp_path / "recordings" / "2026" / "11" / "22"
    day.mkdir(parents=True)
    (day / "a.wav").write_bytes(b"sound")
    return tmp_path / "recordings"


@pytest.fixture
def storage(folder: Path) -> Storage:
    return Storage(folder)


def facts(**changes: object) -> Facts:
    values = {"uid": "a1", "kind": "transfer", "direction": "inbound", "state": "requested"}
    started = datetime(2026, 11, 22, 9, tzinfo=UTC)
    return Facts(**{**values, "started_at": started, "format": "wav", **changes})


def walked(storage: Storage) -> list[str]:
    return [found.path for found in storage.walk()]


def test_a_recording_is_opened_and_measured(storage: Storage) -> None:
    with storage.open("2026/11/22/a.wav") as file:
        assert file.read() == b"sound"
    assert storage.size("2026/11/22/a.wav") == 5


def test_a_file_that_is_not_there_has_no_size_and_cannot_be_opened(storage: Storage) -> None:
    assert storage.size("2026/11/22/b.wav") is None
    assert storage.size("1999/11/22/b.wav") is None
    with pytest.raises(FileNotFoundError):
        storage.open("2026/11/22/b.wav")


def test_what_was_written_is_read_back_and_listed_by_name(storage: Storage) -> None:
    storage.write(".calls/b.json", b"second", durable=False)
    storage.write(".calls/a.json", b"first", durable=False)
    storage.sync(".calls/a.json")
    assert storage.names(".calls") == ["a.json", "b.json"]
    assert storage.read(".calls/a.json") == b"first"
    assert storage.read(".calls/b.json", limit=3) == b"sec"
    assert storage.names("1999/11") == []


def test_names_of_a_folder_behind_a_link_are_not_told(storage: Storage, folder: Path) -> None:
    (folder / "elsewhere").symlink_to(folder.parent)
    with pytest.raises(OSError, match="elsewhere"):
        storage.names("elsewhere")


ESCAPES = [
    "",
    ".",
    "..",
    "/",
    "../secret",
    "2026/../../secret",
    "2026/11/22/../22/a.wav",
    "/etc/passwd",
    "//etc/passwd",
    "2026//11/22/a.wav",
    "./2026/11/22/a.wav",
    "2026/11/22/a.wav/",
    "2026/11/22/a.wav\0.json",
    "\ud800",
]


@pytest.mark.parametrize("path", ESCAPES)
def test_a_path_that_is_not_plain_is_refused_everywhere(storage: Storage, path: str) -> None:
    for function in (storage.resolve, storage.open, storage.size, storage.delete):
        with pytest.raises(StorageError):
            function(path)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["..", ".", "", "2026", "a.wav", "secret", "x/../..", "~"])))
def test_no_path_leads_out(tmp_path_factory: pytest.TempPathFactory, parts: list[str]) -> None:
    base = tmp_path_factory.getbasetemp() / "no_way_out"
    (base / "recordings" / "2026").mkdir(parents=True, exist_ok=True)
    (base / "secret").write_bytes(SECRET)
    storage = Storage(base / "recordings")
    with contextlib.suppress(StorageError, FileNotFoundError):
        assert storage.resolve("/".join(parts)).is_relative_to(base / "recordings")
        with storage.open("/".join(parts)) as file:
            assert file.read() != SECRET


def test_a_link_to_a_file_outside_is_refused(storage: Storage, folder: Path) -> None:
    (folder / "2026/11/22/link.wav").symlink_to(folder.parent / "secret")
    for function in (storage.resolve, storage.open, storage.size):
        with pytest.raises(StorageError):
            function("2026/11/22/link.wav")


def test_a_link_to_a_folder_outside_is_refused(storage: Storage, folder: Path) -> None:
    (folder / "2027").symlink_to(folder.parent)
    for function in (storage.resolve, storage.open, storage.size):
        with pytest.raises(StorageError):
            function("2027/secret")
    with pytest.raises(OSError):
        storage.delete("2027/secret")
    assert (folder.parent / "secret").exists()


def test_deleting_a_link_removes_the_link_and_not_the_recording(
    storage: Storage, folder: Path
) -> None:
    (folder / "2026/11/22/link.wav").symlink_to(folder / "2026/11/22/a.wav")
    assert storage.delete("2026/11/22/link.wav")
    assert (folder / "2026/11/22/a.wav").exists()


def test_the_folder_itself_may_be_a_link(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").symlink_to(folder)
    storage = Storage(tmp_path / "elsewhere")
    assert storage.size("2026/11/22/a.wav") == 5
    assert storage.resolve("2026/11/22/a.wav").read_bytes() == b"sound"


def test_a_fifo_is_refused_at_once(storage: Storage, folder: Path) -> None:
    os.mkfifo(folder / "pipe.wav")
    refused = []

    def look() -> None:
        try:
            storage.open("pipe.wav")
        except StorageError as error:
            refused.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(timeout=60)
    assert refused


@pytest.mark.parametrize("make", [Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_what_is_not_a_plain_file_is_refused(storage: Storage, folder: Path, make) -> None:
    make(folder / "odd.wav")
    with pytest.raises(StorageError):
        storage.open("odd.wav")


def test_no_descriptor_stays_open(storage: Storage, folder: Path) -> None:
    (folder / "2027").symlink_to(folder.parent)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in ("2027/secret", "2026", "2026/11/22/none.wav", "1999/a.wav"):
        with pytest.raises((StorageError, FileNotFoundError)):
            storage.open(path)
    storage.size("2026/11/22/a.wav")
    write_facts(storage, facts())
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_deleting_twice_is_fine_and_tells_which_was_first(storage: Storage) -> None:
    assert storage.delete("2026/11/22/a.wav")
    assert not storage.delete("2026/11/22/a.wav")
    assert not storage.delete("1999/01/01/a.wav")


def test_a_folder_is_never_deleted(storage: Storage, folder: Path) -> None:
    with pytest.raises(OSError):
        storage.delete("2026/11/22")
    assert (folder / "2026/11/22/a.wav").exists()


def test_facts_are_read_as_they_were_written(storage: Storage) -> None:
    written = facts(caller_name="Ådel 🙂", callee="PJSIP/desk")
    write_facts(storage, written)
    assert read_facts(storage, written.facts_path) == written


def test_facts_that_are_written_again_replace_the_first(storage: Storage, folder: Path) -> None:
    write_facts(storage, facts())
    write_facts(storage, facts(state="available", duration_ms=1000))
    assert read_facts(storage, "2026/11/22/a1.json").state == "available"
    assert sorted(p.name for p in (folder / "2026/11/22").iterdir()) == ["a.wav", "a1.json"]


def test_a_crash_in_the_middle_of_writing_leaves_the_facts_as_they_were(
    storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_facts(storage, facts())

    def crash(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(OSError):
        write_facts(storage, facts(state="available"))
    monkeypatch.undo()
    assert read_facts(storage, "2026/11/22/a1.json").state == "requested"
    write_facts(storage, facts(state="available"))
    assert read_facts(storage, "2026/11/22/a1.json").state == "available"


@pytest.mark.parametrize("uid", ["../../../../escape", "a/../../b", ""])
def test_facts_of_a_forged_uid_are_not_written_outside(
    storage: Storage, folder: Path, uid: str
) -> None:
    with contextlib.suppress(StorageError):
        write_facts(storage, facts(uid=uid))
    outside = set(folder.parent.rglob("*")) - set(folder.rglob("*")) - {folder}
    assert outside == {folder.parent / "secret"}


def test_a_link_in_place_of_the_facts_draft_is_not_written_through(
    storage: Storage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A draft's name cannot be guessed, unless a test says what it is.
    monkeypatch.setattr(secrets, "token_hex", lambda _: "0" * 8)
    (folder / "2026/11/22/a1.json.00000000.new").symlink_to(folder.parent / "secret")
    with pytest.raises(OSError):
        write_facts(storage, facts())
    assert (folder.parent / "secret").read_bytes() == SECRET


def test_facts_of_a_missing_folder_are_an_error_and_do_not_make_it(tmp_path: Path) -> None:
    """An unmounted volume must not be taken for an empty library."""
    with pytest.raises(FileNotFoundError):
        write_facts(Storage(tmp_path / "gone"), facts())
    assert not (tmp_path / "gone").exists()


def test_a_folder_for_a_new_day_can_be_written_by_whoever_may_write_to_the_first(
    storage: Storage, folder: Path
) -> None:
    """Asterisk runs as another user than the worker that makes the folder."""
    folder.chmod(0o2775)
    if os.geteuid() == 0:
        os.chown(folder, 4711, 4712)
    write_facts(storage, facts(started_at=datetime(2027, 1, 2, tzinfo=UTC)))
    for name in ("2027", "2027/01", "2027/01/02"):
        found, root = (folder / name).stat(), folder.stat()
        assert stat.S_IMODE(found.st_mode) == 0o2775
        assert (found.st_uid, found.st_gid) == (root.st_uid, root.st_gid)


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"uid": 1}', "\xff", "[" * 10000])
def test_unusable_facts_are_a_value_error(storage: Storage, folder: Path, text: str) -> None:
    (folder / "bad.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError):
        read_facts(storage, "bad.json")


def test_walking_gives_every_file_once_and_in_order(storage: Storage, folder: Path) -> None:
    for name in ("2026/11/22/b.wav", "2026/11/21/z.wav", "2025/01/01/c.ulaw", "top.wav"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    assert walked(storage) == [
        "2025/01/01/c.ulaw",
        "2026/11/21/z.wav",
        "2026/11/22/a.wav",
        "2026/11/22/b.wav",
        "top.wav",
    ]


PATHS = st.from_regex(r"(?:[ab.é-]{1,2}/){0,2}[ab.é0-]{1,3}", fullmatch=True)


@given(st.sets(PATHS))
def test_walking_is_in_the_order_of_the_bytes_of_whole_paths(
    tmp_path_factory: pytest.TempPathFactory, names: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("order")
    for name in names:
        with contextlib.suppress(OSError):  # the name of a folder and of a file at once
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
    found = walked(Storage(folder))
    assert found == sorted(found, key=os.fsencode)
    files = [p.relative_to(folder) for p in folder.rglob("*") if p.is_file()]
    assert set(found) == {str(p) for p in files if not any(x.startswith(".") for x in p.parts)}


def test_walking_tells_size_and_age_and_what_is_no_plain_file(
    storage: Storage, folder: Path
) -> None:
    os.utime(folder / "2026/11/22/a.wav", (0, 86400))
    (folder / "2026/11/22/link.wav").symlink_to(folder.parent / "secret")
    a, link = storage.walk()
    assert a == ("2026/11/22/a.wav", 5, datetime(1970, 1, 2, tzinfo=UTC))
    assert (link.path, link.size_bytes) == ("2026/11/22/link.wav", None)
    assert storage.stat(a.path) == a
    assert storage.stat(link.path).size_bytes is None
    assert storage.stat("2026/11/22/b.wav") is None
    assert storage.stat("2026/11/22/a.wav/b.wav") is None


def test_walking_leaves_out_what_is_no_recording(storage: Storage, folder: Path) -> None:
    for name in ("lost.d", ".snapshot", "doctor-12ab", "lost+found"):
        (folder / name).mkdir()
        (folder / name / "a.wav").touch()
    (folder / "2026/.hidden.wav").touch()
    assert walked(storage) == ["2026/11/22/a.wav", "lost.d/a.wav"]


def test_an_empty_folder_can_be_removed_and_no_other(storage: Storage, folder: Path) -> None:
    (folder / "empty").mkdir()
    storage.delete_folder("empty")
    assert not (folder / "empty").exists()
    with pytest.raises(OSError):
        storage.delete_folder("2026")
    with pytest.raises(StorageError):
        storage.delete_folder("..")


def test_walking_does_not_follow_links_out(storage: Storage, folder: Path) -> None:
    (folder / "2027").symlink_to(folder.parent)
    assert "2027/secret" not in walked(storage)


def test_a_folder_that_cannot_be_read_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        walked(Storage(tmp_path / "file"))


def test_a_folder_that_is_gone_is_an_error_and_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        walked(Storage(tmp_path / "gone"))


def test_problems_are_said_in_words_with_the_variable(storage: Storage, tmp_path: Path) -> None:
    assert storage.problem() is None
    assert storage.free_bytes() > 0
    gone = Storage(tmp_path / "gone").problem()
    assert gone and gone.startswith("RECORDINGS_DIR: ") and "does not exist" in gone


def test_two_writers_of_one_file_do_not_disturb_each_other(storage: Storage) -> None:
    contents = [bytes([n]) * 20_000 for n in range(4)]
    problems: list[BaseException | bytes] = []

    def write_again_and_again(content: bytes) -> None:
        try:
            for _ in range(50):
                storage.write("2026/11/22/a1.json", content, durable=False)
                found = storage.read("2026/11/22/a1.json")
                if found not in contents:
                    problems.append(found)
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=write_again_and_again, args=(c,)) for c in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert storage.names("2026/11/22") == ["a.wav", "a1.json"]


def test_a_rename_or_removal_is_synced_with_its_folder(
    storage: Storage, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    sync = os.fsync

    def fsync(file: int) -> None:
        synced.append(os.path.relpath(Path(f"/proc/self/fd/{file}").readlink(), folder))
        sync(file)

    monkeypatch.setattr(os, "fsync", fsync)
    day = "2027/01/02"
    storage.write(f"{day}/a.json", b"{}")
    # The new folders, each in the one above it, then the file, then its name.
    assert synced[:3] == [".", "2027", "2027/01"]
    assert synced[3].startswith(f"{day}/a.json.")
    assert synced[4:] == [day]
    for change in (
        lambda: storage.add_suffix(f"{day}/a.json", ".unusable"),
        lambda: storage.delete(f"{day}/a.json.unusable"),
        lambda: storage.write_once(f"{day}/b", b""),
        lambda: storage.sync(f"{day}/b"),
    ):
        synced.clear()
        change()
        assert synced[-1] == day


def test_a_draft_that_cannot_be_put_in_place_is_removed(storage: Storage, folder: Path) -> None:
    (folder / "2026/11/22/a1.json").mkdir()
    with pytest.raises(OSError):
        storage.write("2026/11/22/a1.json", b"{}")
    assert storage.names("2026/11/22") == ["a.wav", "a1.json"]
