"""Recovery of calls after a restart or a reconnect: nobody is left alone, whatever goes wrong."""

import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from callytics.ari.commands import Ari
from callytics.ari.pause_request import request_pause
from callytics.config import load_config
from tests.support.processes import Worker
from tests.support.rows import recordings_in, rows, use_flow
from tests.support.said import lines_with, wait_for_line
from tests.support.stage import DESK, Stage, set_stage
from tests.support.stand_in import BROKEN, StandIn, StandInCall
from tests.support.waiting import wait_until

Env = dict[str, str]
PBX = "office"


@pytest.fixture
def environment(app_env: Env) -> Env:
    return {**app_env, "PBX_NAME": PBX}


@pytest.fixture
def stage(environment: Env, tmp_path: Path) -> Iterator[Stage]:
    with set_stage(environment, tmp_path) as stage:
        yield stage


@pytest.fixture
def journal(environment: Env) -> Path:
    return Path(environment["RECORDINGS_DIR"]) / ".calls" / PBX


def talk(stage: Stage, number: str) -> StandInCall:
    """Place a call whose parties talk and are recorded."""
    call = stage.ari.place_call(number)
    stage.connect(call)
    return call


def check_that_it_ended(stage: Stage, call: StandInCall) -> None:
    """Wait for the end of a call that was answered and recorded, and check that it is whole."""
    assert stage.wait_for_end(call)["disposition"] == "answered"
    (recording,) = stage.recordings_of(call)
    assert recording["state"] == "available"


def test_a_refused_question_concerns_only_its_call(stage: Stage) -> None:
    calls = {number: talk(stage, number) for number in ("15550001", "15550002")}
    stage.worker.kill()
    first = calls["15550001"].ids["recording"]
    for _ in range(3):
        stage.ari.fault(f"GET recordings live {first}", BROKEN)
    stage.worker.start()
    for call in reversed(calls.values()):
        call.happens("callee hangs up")
        check_that_it_ended(stage, call)
    wait_until(stage.nothing_is_left, "nothing is left")


@pytest.mark.parametrize("question", ["GET channels", "GET bridges"])
def test_a_list_that_is_refused_is_asked_for_again(stage: Stage, question: str) -> None:
    call = talk(stage, "15550001")
    stage.worker.kill()
    for _ in range(2):
        stage.ari.fault(question, BROKEN)
    stage.worker.start()
    wait_for_line(stage.worker.log, "is adopted")
    call.happens("callee hangs up")
    check_that_it_ended(stage, call)


def test_a_call_of_this_process_is_asked_about_until_asterisk_answers(stage: Stage) -> None:
    calls = {number: talk(stage, number) for number in ("15550001", "15550002")}
    first = calls["15550001"]
    for _ in range(2):
        stage.ari.fault(f"GET recordings live {first.ids['recording']}", BROKEN)
    for call in calls.values():
        stage.ari.edit = lambda after, events: []
        call.recording_ends_by_itself()
    stage.ari.edit = lambda after, events: events
    before = {number: call.ids["recording"] for number, call in calls.items()}
    stage.ari.drop_connection()
    for number, call in calls.items():
        wait_until(lambda n=number, c=call: c.ids["recording"] != before[n], "the next segment")
    for call in calls.values():
        call.happens("caller hangs up")
        stage.wait_for_end(call)
    assert len(recordings_in(stage.environment, "available", 4)) == 4


@pytest.mark.parametrize("what", ["callee hangs up", "caller hangs up"])
def test_a_conversation_that_ended_while_no_worker_was_there_is_over(
    stage: Stage, what: str
) -> None:
    node = {"type": "queue", "queue": "team", "record_call": True}
    queue = {"members": ["PJSIP/desk"]}
    use_flow(stage.environment, {"line": node}, queues={"team": queue})
    call = talk(stage, "15550001")
    stage.worker.kill()
    before = [said for said in stage.ari.seen if said.startswith("POST channels callytics-")]
    call.happens(what)
    stage.worker.start()
    check_that_it_ended(stage, call)
    wait_until(stage.nothing_is_left, "nothing is left")
    after = [said for said in stage.ari.seen if said.startswith("POST channels callytics-")]
    assert after == before
    busy = "SELECT * FROM members WHERE call_uid IS NOT NULL"
    wait_until(lambda: rows(stage.environment, busy) == [], "the member is free")


@pytest.mark.parametrize("away", ["restart", "reconnect"])
@pytest.mark.parametrize("party", ["caller", "leg"])
def test_a_party_that_is_transferred_while_no_event_comes_stays_in_the_conversation(
    stage: Stage, party: str, away: str
) -> None:
    call = talk(stage, "15550001")
    if away == "restart":
        stage.worker.kill()
    else:
        stage.ari.go_silent()
    bridge = stage.ari.bridges[call.ids["bridge"]]
    for there in (stage.ari.channels, bridge):
        there.discard(call.ids[party])
        there.add(f"Local-in-place-of-{party}")
    call.ids[party] = f"Local-in-place-of-{party}"
    if away == "restart":
        stage.worker.start()
    wait_until(lambda: len(stage.ari.sockets) == 2, "it connects anew")
    dialed = [said for said in stage.ari.seen if said.startswith("POST channels callytics-")]
    beside = stage.ari.place_call("15550002")
    assert stage.talk(beside)["disposition"] == "answered"
    assert stage.has_ended(call) is None
    seen = [said for said in stage.ari.seen if said.startswith("POST channels callytics-")]
    assert len(seen) == len(dialed) + 1
    call.happens("callee hangs up" if party == "caller" else "caller hangs up")
    check_that_it_ended(stage, call)
    wait_until(stage.nothing_is_left, "nothing is left")


def test_files_that_are_no_calls_are_set_aside_and_the_others_adopted(
    stage: Stage, journal: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = talk(stage, "15550001")
    wait_until(lambda: list(journal.glob("*.json")), "its journal is there")
    stage.worker.kill()
    (good,) = journal.glob("*.json")
    snapshot = json.loads(good.read_text())
    bad = [journal / f"{number:020x}.json" for number in range(10)]
    bad[0].symlink_to(good)
    bad[1].write_text("[" * 100_000)
    bad[2].write_text(json.dumps({"of": "another version"}))
    bad[3].write_bytes(b'{"call": "' + b"x" * (2 << 20) + b'"}')
    os.mkfifo(bad[4])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text(good.read_text())
    bad[5].hardlink_to(elsewhere)
    with socket.socket(socket.AF_UNIX) as server:
        # The path of a socket may not be long.
        monkeypatch.chdir(journal)
        server.bind(bad[6].name)
    # Another call than its name says, and two whose paths are none.
    bad[7].write_text(good.read_text())
    for file, path in ((bad[8], "desk"), (bad[9], ["desk", *snapshot["call"]["path"]])):
        forged = {**snapshot["call"], "uid": file.stem, "path": path}
        file.write_text(json.dumps({**snapshot, "call": forged}))
    # Left by a worker that was killed while it wrote.
    (journal / f"{good.name}.0123abcd.new").write_text("{")
    stage.worker.start()
    wait_for_line(stage.worker.log, "is adopted")
    left = {good.name, *(f"{path.name}.unreadable" for path in bad)}
    wait_until(lambda: {path.name for path in journal.iterdir()} == left, "the bad are set aside")
    call.happens("callee hangs up")
    check_that_it_ended(stage, call)


def test_a_text_that_is_too_long_for_its_row_is_cut(stage: Stage, journal: Path) -> None:
    call = talk(stage, "15550001")
    wait_until(lambda: list(journal.glob("*.json")), "its journal is there")
    stage.worker.kill()
    (file,) = journal.glob("*.json")
    snapshot = json.loads(file.read_text())
    snapshot["call"]["caller_name"] = "x" * 900_000
    file.write_text(json.dumps(snapshot))
    stage.worker.start()
    wait_for_line(stage.worker.log, "is adopted")
    call.happens("callee hangs up")
    check_that_it_ended(stage, call)
    row = stage.call_row(call)
    assert row and len(str(row["caller_name"])) == 1000


def test_a_pause_that_is_pressed_at_the_hang_up_does_not_revive_the_call(
    stage: Stage, journal: Path
) -> None:
    call = talk(stage, "15550001")
    answered = stage.ari.hold("POST recordings live * pause")
    request_pause(Ari(load_config(stage.environment)), call.ids["recording"], "pause", "ada")
    wait_until(lambda: not stage.ari.faults, "Asterisk is asked to pause it")
    call.happens("caller hangs up")
    stage.wait_for_end(call)
    wait_until(lambda: not list(journal.iterdir()), "the call is forgotten")
    answered.set()
    # As long as a whole call after it.
    stage.check_that_all_is_well("15550002")
    wait_until(lambda: not list(journal.iterdir()), "no call is left in the journal")


def test_whoever_is_alone_is_let_go_while_the_disk_hangs(environment: Env, tmp_path: Path) -> None:
    hangs = tmp_path / "hangs"
    path = str(Path(__file__).parents[1] / "support/hanging_disk")
    environment |= {
        "PYTHONPATH": path,
        "DISK_HANGS_WHILE": str(hangs),
        "DISK_HANGS_UNDER": environment["RECORDINGS_DIR"],
    }
    with StandIn(Path(environment["RECORDINGS_DIR"])) as ari:
        environment["ARI_URL"] = ari.url
        use_flow(environment, {"desk": DESK})
        with Worker(environment, tmp_path) as worker:
            stage = Stage(ari, worker, environment)
            call = talk(stage, "15550001")
            hangs.touch()
            ari.edit = lambda after, events: []
            call.happens("caller hangs up")
            ari.edit = lambda after, events: events
            ari.drop_connection()
            wait_until(lambda: not ari.channels and not ari.bridges, "the desk is let go")
            wait_for_line(worker.log, "the calls in progress cannot be read")
            beside = ari.place_call("15550002")
            wait_until(lambda: "leg" in beside.ids, "the next call rings")
            hangs.unlink()
            check_that_it_ended(stage, call)
            assert stage.talk(beside)["disposition"] == "answered"
            assert "Traceback" not in worker.log.read_text()


def test_rules_that_are_no_file_of_ours_stop_no_call(environment: Env, tmp_path: Path) -> None:
    rules = Path(environment["RECORDINGS_DIR"]) / ".rules" / f"{PBX}.json"
    rules.parent.mkdir()
    rules.write_text("[" * 100_000)
    with set_stage(environment, tmp_path) as stage:
        stage.check_that_all_is_well("15550001")
        assert lines_with(stage.worker.log, "the flows that were kept cannot be read")
