"""A recording is paused while people talk: what they say then is in no file, all else is."""

import sqlite3
from contextlib import closing

import pytest

from tests.support.command import flask
from tests.support.rows import facts_of, use_settings
from tests.support.talking import (
    CALLEE,
    CALLER,
    NEAR_SECONDS,
    Env,
    Talk,
    check_gap,
    length,
)
from tests.support.tones import seconds_heard, spans_heard
from tests.support.waiting import wait_until


def execute(environment: Env, statement: str) -> None:
    """Change the database behind everybody's back."""
    path = environment["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, timeout=30)) as connection, connection:
        connection.execute(statement)


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
    verified = flask(talk.environment, "recordings", "verify").stdout
    assert verified == "1 recording, 0 disagreements.\n"
    # The library can be rebuilt from the folder alone, its pauses as well.
    execute(talk.environment, "DELETE FROM recordings")
    flask(talk.environment, "recordings", "reconcile")
    assert talk.row()["pauses"] == row["pauses"]
    execute(talk.environment, "UPDATE recordings SET pauses = NULL")
    verified = flask(talk.environment, "recordings", "verify", check=False)
    assert verified.returncode == 1
    flask(talk.environment, "recordings", "reconcile")
    assert talk.row()["pauses"] == row["pauses"]


def test_it_is_paused_again_and_each_gap_has_its_place(talk: Talk) -> None:
    for number in range(3):
        talk.pause()
        talk.wishes("pause", "somebody who presses as well")
        talk.asterisk.tell(CALLER, 700)
        talk.goes_on(1.2)
        talk.asterisk.tell(CALLER, 440)
        talk.goes_on(0.2)
        talk.asterisk.tell(CALLEE, (1500, 2000, 1000)[number])
        talk.resume()
        talk.wishes("resume", "somebody who presses as well")
        talk.goes_on(1.0)
    row = talk.end()
    assert spans_heard(talk.audio, 700) == []
    first, second, third = (span["at_ms"] / 1000 for span in row["pauses"])
    assert spans_heard(talk.audio, 1500)[0][0] == pytest.approx(first, abs=NEAR_SECONDS)
    assert spans_heard(talk.audio, 2000)[0][0] == pytest.approx(second, abs=NEAR_SECONDS)
    assert spans_heard(talk.audio, 1000)[-1][0] == pytest.approx(third, abs=NEAR_SECONDS)
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
