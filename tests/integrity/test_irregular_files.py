"""Files that are none, and facts of any size: refused at once, in words, and the rest goes on."""

import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from callytics.audio import samples, wav, waveform
from callytics.integrity import reconcile
from callytics.recordings import ledger, library
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import write_facts
from callytics.recordings.finalization import finalize
from callytics.storage.folder import StorageError
from tests.support.disorder import Disorder, disorder
from tests.support.shelf import wav_bytes
from tests.support.waiting import wait_until

# A file that does not answer within this hangs.
SECONDS = 20


@pytest.fixture
def lib(app_env: dict[str, str]) -> Iterator[Disorder]:
    with disorder(app_env) as library:
        yield library


def fifo(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    # Its address has room for a short path only.
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"/proc/self/fd/{os.open(path.parent, os.O_PATH)}/{path.name}")


def device(path: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    except PermissionError:
        os.mkfifo(path)


def hard_link(path: Path) -> None:
    secret = path.parents[4] / "secret"
    secret.write_bytes(wav_bytes(b"\x10\x10" * 8000))
    path.hardlink_to(secret)


KINDS = pytest.mark.parametrize("make", [fifo, unix_socket, device, hard_link])


def at_once(call: Callable[[], object]) -> BaseException | object:
    """Return what `call` returns or raises; fail if it hangs."""
    outcome: list[object] = []

    def run() -> None:
        try:
            outcome.append(call())
        except Exception as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(SECONDS)
    assert outcome, "it hangs"
    return outcome[0]


def replaced(lib: Disorder, make: Callable[[Path], None], facts_file: bool = False) -> Facts:
    """Return a recording in place of whose audio or facts there is something else."""
    facts = lib.add()
    path = lib.file(facts.facts_path if facts_file else facts.path)
    path.unlink()
    make(path)
    return facts


@KINDS
def test_whoever_opens_it_is_refused(lib: Disorder, make: Callable[[Path], None]) -> None:
    path = lib.file(replaced(lib, make).path)
    storage, name = lib.shelf.storage, str(path.relative_to(lib.shelf.storage.root))
    for call in (lambda: storage.open(name), lambda: storage.sha256(name)):
        assert isinstance(at_once(call), StorageError)
    for read in (wav.inspect, waveform.measure, samples.read_samples, wav.finish_wav_header):
        assert isinstance(at_once(lambda read=read: read(path)), OSError)


@KINDS
def test_a_page_says_so_and_the_next_waveform_is_computed(
    lib: Disorder, make: Callable[[Path], None]
) -> None:
    facts, other = replaced(lib, make), lib.add()
    lib.shelf.add_person("ada", "admin")
    ada = lib.shelf.client("ada")
    assert ada.get(f"/recordings/{facts.uid}/audio").status_code == 500
    for uid in (facts.uid, other.uid):
        assert ada.get(f"/recordings/{uid}").status_code == 200
    wait_until(lambda: library.waveform(other.uid) is not None, "its waveform is computed")
    assert library.waveform(facts.uid) is None


@KINDS
@pytest.mark.parametrize("facts_file", [False, True])
def test_verify_and_reconcile_go_on(lib, make: Callable[[Path], None], facts_file: bool) -> None:
    facts, other = replaced(lib, make, facts_file), lib.add()
    reports = at_once(lambda: run_in_context(lib, lambda: list(reconcile.verify(lib.context()))))
    assert isinstance(reports, list), reports
    said = [s for r in reports for s in (*r.problems, *r.failures)]
    assert any(facts.name in sentence for sentence in said)
    assert not any(other.name in sentence for sentence in said)


def run_in_context(lib: Disorder, call: Callable[[], object]) -> object:
    with lib.shelf.app.app_context():
        return call()


@KINDS
def test_a_recording_that_ends_there_is_no_recording(lib, make: Callable[[Path], None]) -> None:
    facts = lib.open(None)
    make(lib.file(facts.path))
    assert isinstance(at_once(lambda: finalize(lib.shelf.storage, facts, lib.now)), OSError)


def test_facts_of_any_length_are_cut_to_what_a_page_shows(lib: Disorder) -> None:
    facts = lib.add()
    long = "x" * 100_000
    names = ("caller_number", "caller_name", "dialed_number", "callee", "flow", "node")
    write_facts(lib.shelf.storage, facts)
    text = facts.to_json()
    for name in (*names, "state_reason"):
        value = f'"{name}": "{getattr(facts, name)}"'
        assert value in text
        text = text.replace(value, f'"{name}": "{long}"')
    lib.put(facts.facts_path, text.encode())
    ledger.forget_recording(facts.uid)
    lib.reconcile()
    row = lib.row(facts)
    assert row is not None
    assert {len(getattr(row, name)) for name in names} == {200}
    assert len(row.state_reason) == 1000
    assert lib.verify() == []


def test_a_uid_or_checksum_of_any_length_is_refused(lib: Disorder) -> None:
    facts = lib.add()
    for name in ("call_uid", "sha256"):
        forged = replace(facts, **{name: "x" * 900_000}).to_json()
        lib.put(facts.facts_path, forged.encode())
        (said,) = lib.verify()
        assert "its facts cannot be used" in said
        assert len(said) < 300
