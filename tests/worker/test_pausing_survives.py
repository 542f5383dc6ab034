"""Pauses that outlive the worker and Asterisk: no death of either makes the audio go on."""

import pytest

from tests.support.command import flask
from tests.support.processes import Worker
from tests.support.rows import (
    audio_of,
    calls,
    facts_of,
    recordings,
    recordings_in,
    rows,
    use_settings,
)
from tests.support.said import wait_for_line
from tests.support.talking import Talk, check_gap
from tests.support.tones import seconds_heard, spans_heard
from tests.support.waiting import wait_until


def wait_for_adoption(worker: Worker) -> None:
    """Wait until the worker that was started again leads the call."""
    wait_for_line(worker.log, "is adopted")


def test_a_worker_that_dies_leaves_the_pause_and_the_next_one_lets_it_go_on(
    talk: Talk, worker_process: Worker
) -> None:
    talk.pause()
    worker_process.kill()
    talk.says_the_card_number()
    worker_process.start()
    wait_for_adoption(worker_process)
    assert talk.is_paused()
    talk.resume()
    talk.goes_on(1.5)
    row = talk.end()
    (span,) = row["pauses"]
    check_gap(talk, span)
    assert (span["by"], span["resumed_by"]) == ("ada", "rita")
    assert row["state_reason"] == ""
    assert calls(talk.environment)[0]["problem"] == ""


def test_a_worker_that_dies_in_the_instant_of_a_pause_has_written_that_it_was_meant(
    talk: Talk, worker_process: Worker
) -> None:
    talk.wishes("pause", "ada")
    wait_until(lambda: talk.state() == "paused", "Asterisk has paused it")
    worker_process.kill()
    talk.says_the_card_number()
    worker_process.start()
    wait_for_adoption(worker_process)
    assert talk.is_paused()
    talk.resume()
    talk.goes_on(1.5)
    (span,) = talk.end()["pauses"]
    assert (span["by"], span["resumed_by"]) == ("ada", "rita")
    check_gap(talk, span)


def test_the_place_of_a_pause_is_right_also_after_the_worker_was_another(
    talk: Talk, worker_process: Worker
) -> None:
    talk.pause()
    talk.goes_on(1.0)
    talk.resume()
    worker_process.kill()
    talk.goes_on(1.0)
    worker_process.start()
    wait_for_adoption(worker_process)
    talk.pause()
    talk.says_the_card_number()
    talk.resume()
    talk.goes_on(1.5)
    row = talk.end()
    check_gap(talk, row["pauses"][1])


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
    # Asterisk writes 32 KiB at a time, so these are on disk.
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
    assert flask(talk.environment, "recordings", "verify").returncode == 0


def test_a_recording_that_is_held_back_is_so_also_for_the_next_worker(
    talk: Talk, worker_process: Worker
) -> None:
    talk.pause()
    name = talk.name.replace("/", "%2F")
    assert talk.asterisk.ari("POST", f"recordings/live/{name}/stop").ok
    wait_until(lambda: len(recordings(talk.environment)) == 2, "the next one is wished for")
    talk.name = talk.row()["path"].removesuffix(".wav")
    talk.audio = audio_of(talk.environment, talk.row())
    journal = talk.audio.parents[3] / ".calls"
    wait_until(lambda: talk.name in next(journal.rglob("*.json")).read_text(), "that is kept")
    worker_process.kill()
    talk.says_the_card_number()
    worker_process.start()
    wait_for_adoption(worker_process)
    assert talk.is_paused() and not talk.audio.exists()
    talk.resume()
    talk.goes_on(1.5)
    row = talk.end(2)
    assert seconds_heard(talk.audio, 440) > 1
    assert spans_heard(talk.audio, 700) == []
    assert row["state_reason"] == ""
