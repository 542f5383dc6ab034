"""Commands `flask recordings verify` and `flask recordings reconcile`."""

import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from callytics.clock import utc_now
from callytics.database.transactions import writing
from callytics.integrity import inventory, reconcile
from callytics.recordings import ledger
from tests.support.asterisk import AsteriskServer
from tests.support.disorder import SOUND, Disorder, disorder, unfinished
from tests.support.pbxs import record_heartbeat
from tests.support.processes import Worker, run_flask
from tests.support.rows import audio_of, recordings_in, use_flow
from tests.support.shelf import STARTED_AT, wav_bytes
from tests.support.waiting import wait_until


@pytest.fixture
def lib(any_env: dict[str, str]) -> Iterator[Disorder]:
    with disorder(any_env) as library:
        yield library


def run(lib: Disorder, *arguments: str) -> tuple[int, list[str], str]:
    """Return the exit code, the lines, and the text of standard error."""
    done = lib.shelf.app.test_cli_runner().invoke(args=["recordings", *arguments])
    return done.exit_code, done.stdout.splitlines(), done.stderr


def test_an_operator_who_types_it_is_told(app_env: dict[str, str]) -> None:
    with disorder(app_env) as lib:
        facts = lib.add()
        lib.file(facts.path).unlink()
    done = run_flask(app_env, "recordings", "verify", check=False)
    assert (done.returncode, done.stderr) == (1, "")
    said = f"{facts.path}: the file is gone → missing"
    assert done.stdout.splitlines() == [said, "1 recording, 1 disagreement."]


def test_verify_says_each_disagreement_and_counts_them(lib: Disorder) -> None:
    lib.add(uid="a")
    assert run(lib, "verify") == (0, ["1 recording, 0 disagreements."], "")
    lost, cut = lib.add(uid="b"), lib.add(uid="c")
    lib.file(lost.path).unlink()
    lib.put(cut.path, unfinished())
    lib.put("top.wav", b"")
    before = lib.everything()
    wrong = [
        "2026/11/22/b.wav: the file is gone → missing",
        "2026/11/22/c.wav: its header was never finished → mended",
    ]
    stranger = "top.wav: not a recording of Callytics, left alone"
    last = "3 recordings, 2 disagreements."
    assert run(lib, "verify") == (1, [*wrong, stranger, last], "")
    assert lib.everything() == before
    assert run(lib, "reconcile") == (0, [*wrong, "3 recordings, 2 disagreements mended."], "")
    assert run(lib, "verify") == (0, [stranger, "3 recordings, 0 disagreements."], "")
    assert run(lib, "reconcile") == (0, ["3 recordings, 0 disagreements mended."], "")


def test_verify_compares_bytes_when_it_is_asked_to(lib: Disorder) -> None:
    facts = lib.add()
    assert run(lib, "verify", "--checksums")[0] == 0
    lib.put(facts.path, wav_bytes(SOUND[2:] + SOUND[:2] + b"")[:-1] + b"\x7f")
    assert run(lib, "verify")[0] == 0
    code, (said, _), _ = run(lib, "verify", "--checksums")
    assert code == 1
    assert "its bytes are not those that were recorded" in said


def test_a_library_that_lost_its_database_is_rebuilt(lib: Disorder, any_env) -> None:
    lib.add(uid="a", state_reason="cut short: x", flow="main", node="desk", callee="PJSIP/desk")
    lib.add(uid="b", kind="voicemail", format="ulaw", started_at=STARTED_AT - timedelta(days=400))
    lib.add(uid="c", kind="outbound", direction="outbound", dialed_number="+15550199")
    lost = lib.add(uid="d", state_reason="x")
    lib.file(lost.path).unlink()
    failed = lib.open(None, uid="e", state="failed", state_reason="Asterisk would not")
    lib.reconcile()
    lost_rows = lib.rows()
    assert {row.state for row in lost_rows.values()} == {"available", "failed", "missing"}
    files = lib.files()
    for uid in lost_rows:
        ledger.forget_recording(uid)
    assert lib.rows() == {}
    code, said, _ = run(lib, "reconcile")
    assert (code, said[-1]) == (0, "5 recordings, 5 disagreements mended.")
    assert lib.rows() == lost_rows
    assert lib.files() == files
    assert lost_rows["e"] == failed
    assert run(lib, "verify")[0] == 0


@pytest.mark.parametrize("command", ["verify", "reconcile"])
def test_a_folder_that_is_gone_marks_nothing_as_missing(lib: Disorder, command: str) -> None:
    lib.add()
    rows = lib.rows()
    lib.shelf.storage.root.rename(lib.shelf.storage.root.with_name("away"))
    code, lines, error = run(lib, command)
    assert (code, lines) == (1, [])
    assert error.count("\n") == 1
    assert "RECORDINGS_DIR: the folder" in error
    assert "does not exist" in error
    assert lib.rows() == rows


@pytest.mark.parametrize("command", ["verify", "reconcile"])
def test_a_folder_whose_disk_is_not_mounted_marks_nothing_as_missing(lib, command: str) -> None:
    facts = lib.add()
    root: Path = lib.shelf.storage.root
    shutil.rmtree(root)
    root.mkdir()
    (root / ".calls").mkdir()
    code, lines, error = run(lib, command)
    assert (code, lines, error.count("\n")) == (1, [], 1)
    assert "of 1 recordings that should be in" in error
    assert "--folder-is-right" in error
    assert lib.row(facts) == facts
    assert run(lib, command, "--folder-is-right")[1][0].endswith("the file is gone → missing")
    assert (lib.row(facts).state == "missing") == (command == "reconcile")


def test_another_folder_marks_nothing_as_missing(lib: Disorder) -> None:
    many = [lib.add() for _ in range(12)]
    shutil.rmtree(lib.file("2026"))
    lib.add()
    with pytest.raises(reconcile.WrongFolderError, match="1 are"):
        list(reconcile.reconcile(lib.context()))
    with pytest.raises(reconcile.WrongFolderError):
        lib.open(None)
        reconcile.finalize_open_recordings(lib.context())
    assert {lib.row(facts).state for facts in many} == {"available"}


def test_a_few_files_that_are_gone_do_not_make_it_another_folder(lib: Disorder) -> None:
    for facts in [lib.add() for _ in range(12)][:5]:
        lib.file(facts.path).unlink()
        lib.file(facts.facts_path).unlink()
    assert len([line for line in lib.reconcile() if "missing" in line]) == 5


def test_a_folder_that_cannot_be_read_is_said_in_one_line(lib: Disorder) -> None:
    lib.add()
    shutil.rmtree(lib.file("2026"))
    shutil.rmtree(lib.shelf.storage.root)
    lib.shelf.storage.root.write_text("no folder")
    code, lines, error = run(lib, "verify")
    assert (code, lines, error.count("\n")) == (1, [], 1)
    assert error.startswith("Error: RECORDINGS_DIR: ")


def test_a_name_cannot_color_the_terminal(lib: Disorder) -> None:
    lib.put("\x1b[31mred.wav", b"")
    assert "\x1b" not in "".join(run(lib, "verify")[1])


def test_without_a_database_one_line_says_so(app_env: dict[str, str]) -> None:
    environment = {**app_env, "DATABASE_URL": "sqlite:////nowhere/at/all.db"}
    for command in ("verify", "reconcile"):
        done = run_flask(environment, "recordings", command, check=False)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "DATABASE_URL" in done.stderr


# For the worker


def test_what_is_open_is_mended_without_a_look_at_the_rest(lib: Disorder) -> None:
    lost, over, live = lib.add(uid="a"), lib.open(wav_bytes(SOUND), uid="b"), lib.open(None)
    lib.live.add(live.uid)
    lib.file(lost.path).unlink()
    report = reconcile.finalize_open_recordings(lib.context())
    assert len(report.problems) == 1
    assert report.checked == 2
    assert lib.row(over).state == "available"
    assert lib.row(lost).state == "available"
    assert lib.row(live).state == "recording"
    assert reconcile.finalize_open_recordings(lib.context()).problems == []


def test_a_full_run_may_pause_between_its_steps_while_recordings_are_made(
    lib: Disorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows and files are read at different moments; recordings made in between are no problem."""
    monkeypatch.setattr(reconcile, "CHUNK", 2)
    monkeypatch.setattr(inventory, "ROWS_AT_ONCE", 2)
    for number in range(9):
        lib.add(uid=f"m{number}")
    lib.file("2026/11/22/m8.wav").unlink()
    steps = reconcile.reconcile(lib.context())
    says = next(steps).problems
    for uid in ("a", "m55", "z"):
        lib.add(uid=uid)
    says += [line for step in steps for line in step.problems]
    assert says == ["2026/11/22/m8.wav: the file is gone → missing"]
    assert lib.verify() == []
    assert len(lib.rows()) == 12


def test_a_row_that_changed_since_it_was_looked_at_is_left_alone(lib: Disorder) -> None:
    facts = lib.open(None)
    before = lib.row(facts)
    lib.set_row(facts, state="available", state_reason="the worker knows better")
    ledger.change_recordings(
        [
            ledger.RowChange(facts.uid, before.state, before.but(state="failed")),
            ledger.RowChange(facts.uid, before.state, None),
            ledger.RowChange(facts.uid, None, before.but(state="failed")),
        ]
    )
    assert lib.row(facts).state_reason == "the worker knows better"


# With a real Asterisk


def test_what_goes_on_in_asterisk_is_left_alone_and_completed_when_it_is_over(
    asterisk: AsteriskServer, live_env: dict[str, str], worker_process: Worker
) -> None:
    node = {"type": "transfer", "destination": "Local/tone1000@party/n", "record_call": True}
    use_flow(live_env, {"desk": node})
    call = asterisk.place_call("1000", "tone440")
    (row,) = recordings_in(live_env, "recording")
    audio = audio_of(live_env, row)
    wait_until(lambda: audio.exists() and audio.stat().st_size > 20_000, "sound")
    worker_process.kill()
    with disorder(live_env) as lib:
        # As if a minute had passed: the last heartbeat is too old for a running worker.
        record_heartbeat("away", STARTED_AT, None, "")
        forget = "UPDATE pbxs SET seen_at = '2026-01-01'"
        with writing() as connection:
            connection.exec_driver_sql(forget)
        assert run(lib, "verify")[0] == 0
        assert run(lib, "reconcile")[1][0] == "1 recording, 0 disagreements mended."
        call.hang_up()
        wait_until(lambda: not call.is_up(), "the caller is gone")
        asterisk.hang_up_all()
        wait_until(lambda: run(lib, "verify")[0] == 1, "verify tells that it is over")
        assert "completed by what its file says" in run(lib, "reconcile")[1][0]
        (row,) = recordings_in(live_env, "available")
        assert row["duration_ms"] == (audio.stat().st_size - 44) // 16
        assert row["sha256"]
        assert row["ended_at"] <= str(utc_now())
