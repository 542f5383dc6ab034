"""Recordings folder that is gone, full, elsewhere or hangs: people talk, the row says why."""

import contextlib
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from callytics.ari.commands import Ari
from callytics.clock import utc_now
from callytics.config import load_config
from callytics.identifiers import new_uid
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import read_facts
from callytics.storage.folder import MARKER, Storage
from tests.support.apps import new_app
from tests.support.asterisk import AsteriskServer, PlacedCall
from tests.support.command import flask
from tests.support.processes import Worker
from tests.support.rows import audio_of, ended_calls, facts_of, recordings, recordings_in, use_flow
from tests.support.said import lines_with, wait_for_line
from tests.support.tones import HEARD_DB, loudest_db
from tests.support.waiting import wait_until
from worker.persistence.outbox import Outbox
from worker.recording.recorder import Recorder

DESK = {"type": "transfer", "destination": "Local/tone1000@party/n", "record_call": True}
Env = dict[str, str]


@pytest.fixture
def folder(live_env: Env, worker_process: Worker) -> Path:
    """Folder that a running worker records to."""
    use_flow(live_env, {"desk": DESK})
    return Path(live_env["RECORDINGS_DIR"])


def talk(asterisk: AsteriskServer, environment: Env, state: str, number: str) -> PlacedCall:
    """Place a call and wait until its recording is in `state` while they talk."""
    call = asterisk.place_call("1000", "tone440", caller_number=number)
    count = 1 + sum(row["state"] == state for row in recordings(environment))
    recordings_in(environment, state, count)
    assert call.is_up()
    wait_until(lambda: [len(b["channels"]) for b in asterisk.bridges()] == [2], "they talk")
    return call


def check_that_the_next_call_is_recorded(asterisk: AsteriskServer, environment: Env) -> None:
    """Check that the next call is recorded as usual."""
    ended = len(ended_calls(environment))
    call = talk(asterisk, environment, "recording", "15559999")
    call.hang_up()
    ended_calls(environment, ended + 1)
    row = recordings(environment)[-1]
    assert (row["state"], row["state_reason"]) == ("available", "")
    assert audio_of(environment, row).stat().st_size == row["size_bytes"]


def test_without_its_folder_a_call_goes_on_and_its_row_says_so(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker, folder: Path
) -> None:
    shutil.rmtree(folder)
    call = talk(asterisk, live_env, "failed", "15550001")
    call.hang_up()
    (ended,) = ended_calls(live_env)
    assert ended["disposition"] == "answered"
    (row,) = recordings(live_env)
    assert row["state_reason"].startswith(f"RECORDINGS_DIR: the folder {folder} does not exist")
    assert "RECORDINGS_DIR" in ended["problem"]
    wait_for_line(worker_process.log, "does not exist")
    folder.mkdir()
    wait_for_line(worker_process.log, "there is room for recordings again")
    check_that_the_next_call_is_recorded(asterisk, live_env)
    assert len(lines_with(worker_process.log, f"{folder} does not exist; set it")) == 1
    assert "Traceback" not in worker_process.log.read_text()


def test_a_folder_that_goes_in_mid_call_does_not_end_it(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker, folder: Path
) -> None:
    call = talk(asterisk, live_env, "recording", "15550002")
    shutil.rmtree(folder)
    call.hang_up()
    (row,) = recordings_in(live_env, "failed")
    assert row["state_reason"].startswith(f"RECORDINGS_DIR: the folder {folder} does not exist")
    assert ended_calls(live_env)[0]["disposition"] == "answered"
    folder.mkdir()
    check_that_the_next_call_is_recorded(asterisk, live_env)
    assert "Traceback" not in worker_process.log.read_text()


def test_a_call_that_is_recorded_into_another_folder_says_so(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker, folder: Path
) -> None:
    talk(asterisk, live_env, "recording", "15550006").hang_up()
    recordings_in(live_env, "available")
    wait_until((folder / MARKER).exists, "the folder has its identity")
    (folder / MARKER).write_text("of another library")
    wait_for_line(worker_process.log, "is not the folder of this library")
    talk(asterisk, live_env, "recording", "15550007").hang_up()
    elsewhere = recordings_in(live_env, "available", 2)[-1]
    assert "has another id" in elsewhere["state_reason"]
    assert "RECORDINGS_DIR" in flask(live_env, "doctor", check=False).stdout
    assert len(ended_calls(live_env, 2)) == 2


@contextmanager
def no_room(asterisk: AsteriskServer, folder: Path) -> Iterator[str]:
    """Fill a disk mounted for the folder or, if mounting is not allowed, limit Asterisk's files.

    Yields a part of the reason that the row should give.
    """
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m,mode=777", "recordings", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode == 0:
        try:
            with contextlib.suppress(OSError), (folder / "filler").open("wb", 0) as filler:
                while True:
                    filler.write(bytes(4096))
            yield "0 MB are left"
        finally:
            subprocess.run(["umount", "--lazy", str(folder)], check=True)
        return
    assert asterisk.process
    limit = resource.RLIMIT_FSIZE
    before = resource.prlimit(asterisk.process.pid, limit)
    # The header of a .wav, and none of its sound.
    resource.prlimit(asterisk.process.pid, limit, (44, before[1]))
    try:
        yield "sound"
    finally:
        resource.prlimit(asterisk.process.pid, limit, before)


def test_on_a_full_disk_a_call_goes_on_and_its_row_says_so(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker, folder: Path
) -> None:
    with no_room(asterisk, folder) as word:
        call = talk(asterisk, live_env, "recording", "15550003")
        call.hang_up()
        (row,) = recordings_in(live_env, "failed")
        assert word in row["state_reason"]
        (ended,) = ended_calls(live_env)
        assert ended["disposition"] == "answered"
        assert word in ended["problem"]
    check_that_the_next_call_is_recorded(asterisk, live_env)
    assert "Traceback" not in worker_process.log.read_text()


def test_a_year_that_lies_on_another_disk_by_a_link_fails_in_words(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker, folder: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    year = folder / f"{utc_now():%Y}"
    year.symlink_to(elsewhere)
    # Asterisk follows no link out of its folder.
    call = talk(asterisk, live_env, "failed", "15550004")
    call.hang_up()
    assert "Recording name invalid" in recordings(live_env)[0]["state_reason"]
    ended_calls(live_env)
    wait_until(lambda: not asterisk.bridges(), "nothing is left")
    year.unlink()
    check_that_the_next_call_is_recorded(asterisk, live_env)
    assert "Traceback" not in worker_process.log.read_text()


def test_people_talk_while_the_disk_hangs(
    asterisk: AsteriskServer, live_env: Env, tmp_path: Path
) -> None:
    use_flow(live_env, {"desk": DESK})
    hangs = tmp_path / "hangs"
    path = str(Path(__file__).parents[1] / "support/hanging_disk")
    environment = {**live_env, "PYTHONPATH": path, "DISK_HANGS_WHILE": str(hangs)}
    with Worker(environment, tmp_path) as worker:
        hangs.touch()
        # More than there are threads for the disk.
        calls = [
            asterisk.place_call("1000", "tone440", caller_number=f"1555{n:04}") for n in range(10)
        ]
        rows = recordings_in(environment, "recording", 10)
        files = [audio_of(environment, row) for row in rows]
        wait_until(lambda: all(f.exists() and f.stat().st_size > 8_000 for f in files), "sound")
        calls.pop().hang_up()
        wait_until(lambda: len(asterisk.bridges()) == 9, "who hangs up is let go")
        hangs.unlink()
        for call in calls:
            call.hang_up()
        rows = recordings_in(environment, "available", 10)
        for row in rows:
            assert facts_of(environment, row)["state"] == "available"
        levels = loudest_db(audio_of(environment, rows[0]), (440, 1000))
        assert min(levels.values()) > HEARD_DB
        assert "Traceback" not in worker.log.read_text()


def test_what_was_said_last_of_a_recording_is_what_stays(app_env: Env) -> None:
    config = load_config(app_env)
    storage = Storage(config.recordings_dir)
    recorder = Recorder(Ari(config), Outbox(new_app(app_env)), storage)
    wanted = [
        Facts(new_uid(), "transfer", "inbound", "requested", utc_now(), "wav") for _ in range(50)
    ]
    # One right after the other on several threads: none may overtake another.
    said = []
    for facts in wanted:
        recorder.write(facts)
        said.append(recorder.write(facts.but(state="failed", state_reason="nobody came")))
    # Without a timeout: the clock of gevent's loop stood still while no test used it.
    for written in said:
        written.get()
    for facts in wanted:
        kept = read_facts(storage, facts.facts_path)
        assert (kept.state, kept.state_reason) == ("failed", "nobody came")


def test_no_log_holds_the_password_or_audio(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker, folder: Path
) -> None:
    call = talk(asterisk, live_env, "recording", "15550005")
    call.hang_up()
    (row,) = recordings_in(live_env, "available")
    asterisk.kill()
    wait_for_line(worker_process.log, "nobody answers")
    asterisk.start()
    said = worker_process.log.read_bytes()
    assert live_env["ARI_PASSWORD"].encode() not in said
    assert live_env["SECRET_KEY"].encode() not in said
    sound = audio_of(live_env, row).read_bytes()
    assert sound[44:60] not in said
    assert len(said) < 10_000
