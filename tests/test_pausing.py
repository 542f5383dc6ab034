"""A recording is paused while people talk: what they say then is in no file, all else is."""

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from typing import Any

import pytest

from callytics.ari import Ari
from callytics.config import load_config
from callytics.pausing import Action, ask_worker
from tests.asterisk import AsteriskServer
from tests.ledger import (
    audio_of,
    calls,
    facts_of,
    recordings,
    recordings_in,
    rows,
    use_flow,
    use_settings,
)
from tests.processes import Worker, run_flask
from tests.tones import seconds_heard, spans_heard
from tests.waiting import wait_until

Env = dict[str, str]
Row = dict[str, Any]

DESK = {"type": "transfer", "destination": "Local/told1000@party/n", "record_call": True}
CALLER, CALLEE = "told440", "told1000"


@pytest.fixture(autouse=True)
def nobody_is_told_anything_yet(asterisk: AsteriskServer) -> None:
    for party in (CALLER, CALLEE):
        asterisk.ari("POST", "asterisk/variable", params={"variable": party, "value": ""})


@pytest.fixture
def talk(asterisk: AsteriskServer, live_env: Env, worker_process: Worker) -> Iterator["Talk"]:
    use_flow(live_env, {"desk": DESK})
    yield Talk(asterisk, live_env)


class Talk:
    """A conversation that is recorded; its caller speaks 440 Hz and its callee 1000 Hz."""

    def __init__(self, asterisk: AsteriskServer, environment: Env) -> None:
        self.asterisk, self.environment = asterisk, environment
        self.call = asterisk.place_call("1000", CALLER)
        (row,) = recordings_in(environment, "recording")
        self.name, self.audio = row["path"].removesuffix(".wav"), audio_of(environment, row)
        self.goes_on(1.5)

    def goes_on(self, seconds: float) -> None:
        """Nothing tells that somebody has spoken for a while but the time itself."""
        time.sleep(seconds)

    def wishes(self, action: Action, by: str) -> None:
        ask_worker(Ari(load_config(self.environment)), self.name, action, by)

    def row(self) -> Row:
        """The recording that is the newest."""
        row = recordings(self.environment)[-1]
        return {**row, "pauses": json.loads(row["pauses"] or "[]")}

    def is_paused(self) -> bool:
        spans = self.row()["pauses"]
        return bool(spans) and spans[-1]["at_ms"] is not None and spans[-1]["ended_at"] is None

    def pause(self, by: str = "ada") -> None:
        self.wishes("pause", by)
        wait_until(self.is_paused, "the recording is paused")

    def resume(self, by: str = "rita") -> None:
        self.wishes("resume", by)
        wait_until(lambda: not self.is_paused(), "the recording goes on")

    def says_the_card_number(self, seconds: float = 2.0) -> None:
        """The caller says it in 700 Hz; from then on the callee speaks 1500 Hz."""
        self.asterisk.tell(CALLER, 700)
        self.asterisk.tell(CALLEE, 1500)
        self.goes_on(seconds)
        self.asterisk.tell(CALLER, 440)
        self.goes_on(0.2)

    def end(self, count: int = 1) -> Row:
        self.call.hang_up()
        recordings_in(self.environment, "available", count)
        return self.row()


def execute(environment: Env, statement: str) -> None:
    """Change the database behind everybody's back."""
    path = environment["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        connection.execute(statement)


def length(span: Row) -> float:
    began, ended = (datetime.fromisoformat(span[key]) for key in ("began_at", "ended_at"))
    return (ended - began).total_seconds()


def check_gap(talk: Talk, span: Row) -> None:
    """Nothing of the pause is heard, and the place of the gap is where the facts say."""
    assert spans_heard(talk.audio, 700) == []
    before, after = spans_heard(talk.audio, 1000)[-1], spans_heard(talk.audio, 1500)[0]
    # Half of a frame of the arithmetic, some frames of the line, a busy machine.
    assert before[1] == pytest.approx(span["at_ms"] / 1000, abs=0.35)
    assert after[0] == pytest.approx(span["at_ms"] / 1000, abs=0.35)


def test_what_is_said_in_a_pause_is_not_in_the_file_and_all_else_is(talk: Talk) -> None:
    talk.pause()
    talk.says_the_card_number()
    talk.resume()
    talk.goes_on(1.5)
    row = talk.end()
    (span,) = row["pauses"]
    check_gap(talk, span)
    assert (span["by"], span["resumed_by"], span["by_itself"]) == ("ada", "rita", False)
    assert length(span) > 2.2
    assert row["state_reason"] == ""
    # The caller is heard from beginning to end, and that is as long as the file says.
    assert seconds_heard(talk.audio, 440) == pytest.approx(row["duration_ms"] / 1000, abs=0.5)
    assert facts_of(talk.environment, row)["pauses"] == row["pauses"]
    verified = run_flask(talk.environment, "recordings", "verify").stdout
    assert verified == "1 recording, 0 disagreements.\n"
    # The library can be rebuilt from the folder alone, its pauses as well.
    execute(talk.environment, "DELETE FROM recordings")
    run_flask(talk.environment, "recordings", "reconcile")
    assert talk.row()["pauses"] == row["pauses"]
    execute(talk.environment, "UPDATE recordings SET pauses = NULL")
    verified = run_flask(talk.environment, "recordings", "verify", check=False)
    assert verified.returncode == 1
    run_flask(talk.environment, "recordings", "reconcile")
    assert talk.row()["pauses"] == row["pauses"]


def test_it_is_paused_again_and_each_gap_has_its_place(talk: Talk) -> None:
    for number in range(3):
        talk.pause()
        talk.wishes("pause", "somebody who presses as well")
        talk.asterisk.tell(CALLER, 700)
        talk.goes_on(0.7)
        talk.asterisk.tell(CALLER, 440)
        talk.goes_on(0.2)
        talk.asterisk.tell(CALLEE, (1500, 2000, 1000)[number])
        talk.resume()
        talk.wishes("resume", "somebody who presses as well")
        talk.goes_on(1.0)
    row = talk.end()
    assert spans_heard(talk.audio, 700) == []
    first, second, third = (span["at_ms"] / 1000 for span in row["pauses"])
    assert spans_heard(talk.audio, 1500)[0][0] == pytest.approx(first, abs=0.35)
    assert spans_heard(talk.audio, 2000)[0][0] == pytest.approx(second, abs=0.35)
    assert spans_heard(talk.audio, 1000)[-1][0] == pytest.approx(third, abs=0.35)
    assert {span["resumed_by"] for span in row["pauses"]} == {"rita"}


def test_a_call_that_ends_in_a_pause_leaves_a_whole_file(talk: Talk) -> None:
    talk.pause()
    talk.says_the_card_number()
    row = talk.end()
    (span,) = row["pauses"]
    assert (row["state"], row["state_reason"]) == ("available", "")
    assert span["resumed_by"] == "" and not span["by_itself"]
    assert length(span) > 2
    assert spans_heard(talk.audio, 700) == []
    assert row["duration_ms"] == (talk.audio.stat().st_size - 44) // 16
    assert row["duration_ms"] == pytest.approx(span["at_ms"], abs=350)


def test_a_worker_that_dies_leaves_the_pause_and_the_next_one_lets_it_go_on(
    talk: Talk, worker_process: Worker
) -> None:
    talk.pause()
    worker_process.kill()
    talk.says_the_card_number()
    worker_process.start()
    wait_until(lambda: "is adopted" in worker_process.log.read_text(), "the call is adopted")
    assert talk.is_paused()
    talk.resume()
    talk.goes_on(1.5)
    row = talk.end()
    (span,) = row["pauses"]
    check_gap(talk, span)
    assert (span["by"], span["resumed_by"]) == ("ada", "rita")
    assert row["state_reason"] == ""
    assert calls(talk.environment)[0]["problem"] == ""


def test_the_place_of_a_pause_is_right_also_after_the_worker_was_another(
    talk: Talk, worker_process: Worker
) -> None:
    talk.pause()
    talk.goes_on(1.0)
    talk.resume()
    worker_process.kill()
    talk.goes_on(1.0)
    worker_process.start()
    wait_until(lambda: "is adopted" in worker_process.log.read_text(), "the call is adopted")
    talk.pause()
    talk.says_the_card_number()
    talk.resume()
    talk.goes_on(1.5)
    row = talk.end()
    check_gap(talk, row["pauses"][1])


def test_a_pause_that_somebody_forgets_ends_by_itself(talk: Talk) -> None:
    use_settings(talk.environment, longest_pause_seconds="3")
    talk.pause()
    talk.says_the_card_number(1.0)
    wait_until(lambda: not talk.is_paused(), "it goes on by itself")
    talk.goes_on(1.5)
    (span,) = talk.end()["pauses"]
    assert (span["resumed_by"], span["by_itself"]) == ("", True)
    assert length(span) == pytest.approx(3, abs=1)
    check_gap(talk, span)


def test_a_forgotten_pause_ends_by_itself_also_when_the_worker_died_in_it(
    talk: Talk, worker_process: Worker
) -> None:
    use_settings(talk.environment, longest_pause_seconds="6")
    talk.pause()
    worker_process.kill()
    worker_process.start()
    wait_until(lambda: not talk.is_paused(), "it goes on by itself")
    talk.goes_on(1.0)
    (span,) = talk.end()["pauses"]
    assert span["by_itself"]


def test_a_recording_that_asterisk_ends_in_a_pause_begins_anew_only_when_it_may(
    talk: Talk,
) -> None:
    talk.pause()
    first = talk.audio
    name = talk.name.replace("/", "%2F")
    assert talk.asterisk.ari("POST", f"recordings/live/{name}/stop").ok
    wait_until(lambda: len(recordings(talk.environment)) == 2, "the next one is wished for")
    assert talk.row()["state"] == "requested"
    assert talk.is_paused()
    talk.says_the_card_number()
    following = talk.row()
    talk.name, talk.audio = (
        following["path"].removesuffix(".wav"),
        audio_of(talk.environment, following),
    )
    assert not talk.audio.exists()
    talk.resume()
    recordings_in(talk.environment, "recording")
    talk.goes_on(2.5)
    row = talk.end(2)
    assert spans_heard(first, 700) == spans_heard(talk.audio, 700) == []
    assert seconds_heard(talk.audio, 440) > 1.5
    (span,) = row["pauses"]
    assert (span["at_ms"], span["by"], span["resumed_by"]) == (0, "ada", "rita")
    assert rows(talk.environment, "SELECT problem FROM calls") == [{"problem": ""}]


def test_a_call_that_ends_before_it_may_go_on_says_why_there_is_nothing(talk: Talk) -> None:
    talk.pause()
    name = talk.name.replace("/", "%2F")
    assert talk.asterisk.ari("POST", f"recordings/live/{name}/stop").ok
    wait_until(lambda: len(recordings(talk.environment)) == 2, "the next one is wished for")
    talk.call.hang_up()
    recordings_in(talk.environment, "failed")
    first, second = recordings(talk.environment)
    assert (first["state"], first["state_reason"]) == ("available", "")
    assert "paused" in second["state_reason"]


@pytest.mark.parametrize("worker_dies", [False, True])
def test_a_pause_in_which_asterisk_is_killed_ends_with_it(
    talk: Talk, worker_process: Worker, worker_dies: bool
) -> None:
    # Asterisk writes 32 KiB at a time: so much is safe on disk.
    wait_until(lambda: talk.audio.stat().st_size > 32_768, "two seconds are on disk")
    talk.pause()
    if worker_dies:
        worker_process.kill()
    talk.asterisk.kill()
    talk.asterisk.start()
    if worker_dies:
        worker_process.start()
    (row,) = recordings_in(talk.environment, "available")
    (span,) = talk.row()["pauses"]
    assert span["ended_at"] is not None
    assert span["at_ms"] <= row["duration_ms"]
    assert "cut short" in row["state_reason"]
    assert facts_of(talk.environment, row)["pauses"] == [span]
    assert run_flask(talk.environment, "recordings", "verify").returncode == 0
