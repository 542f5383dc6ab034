"""The Queue node on a real Asterisk: order, one caller at a time, pauses, wrap-up, giving up."""

import itertools
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.support.asterisk import AsteriskServer, PlacedCall
from tests.support.command import flask
from tests.support.processes import Worker, run_flask
from tests.support.rows import (
    audio_of,
    calls,
    ended_calls,
    recordings,
    recordings_in,
    rows,
    use_flow,
)
from tests.support.said import lines_with
from tests.support.tones import HEARD_DB, loudest_db
from tests.support.waiting import wait_until

Env = dict[str, str]
MUSIC = 300


def use_queue(environment: Env, *parties: str, **more: Any) -> list[str]:
    """Put a queue of these parties in force behind number 1000; its members."""
    node = {"type": "queue", "queue": "team", "record_call": True}
    node |= {key: more.pop(key) for key in ("max_wait_seconds", "next") if key in more}
    members = [f"Local/{party}@party/n" for party in parties]
    queue = {"members": members, "strategy": "longest_idle", "ring_seconds": 5, **more}
    after = {"type": "play_audio", "media": "sound:vm-goodbye"}
    use_flow(environment, {"line": node, "after": after}, queues={"team": queue})
    return members


def place(asterisk: AsteriskServer, number: int) -> PlacedCall:
    """Caller `number` calls the queue."""
    return asterisk.place_call("1000", "tone440", caller_number=f"1555010{number}")


def waiting(environment: Env) -> list[str]:
    """The numbers of those who wait, the one who waits longest first."""
    found = rows(environment, "SELECT caller_number FROM waiting ORDER BY since")
    return [row["caller_number"] for row in found]


def in_talk(environment: Env) -> list[str]:
    """The numbers of the callers who talk to a member now."""
    return [
        call["caller_number"]
        for call in calls(environment)
        if call["answered_at"] and not call["ended_at"]
    ]


def test_a_caller_who_had_to_wait_is_recorded_like_one_who_had_not(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_queue(live_env, "tone1000")
    first = place(asterisk, 1)
    wait_until(lambda: in_talk(live_env) == ["15550101"], "the first talks")
    second = place(asterisk, 2)
    wait_until(lambda: waiting(live_env) == ["15550102"], "the second waits")
    first.hang_up()
    wait_until(lambda: in_talk(live_env) == ["15550102"], "the second talks")
    second_recording = recordings(live_env)[-1]
    audio = audio_of(live_env, second_recording)
    wait_until(lambda: audio.exists() and audio.stat().st_size > 30_000, "audio")
    second.hang_up()
    found = recordings_in(live_env, "available", 2)
    assert [row["caller_number"] for row in found] == ["15550101", "15550102"]
    assert {row["kind"] for row in found} == {"queue"}
    levels = loudest_db(audio, (440, 1000, MUSIC))
    assert levels[440] > HEARD_DB
    assert levels[1000] > HEARD_DB
    assert levels[MUSIC] < HEARD_DB


def test_callers_are_taken_in_the_order_in_which_they_came(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_queue(live_env, "tone1000__1")
    for number in (1, 2, 3, 4):
        place(asterisk, number)
        wait_until(lambda n=number: len(calls(live_env)) == n, "the caller has come")
    ended = ended_calls(live_env, 4)
    by_answer = sorted(ended, key=lambda call: call["answered_at"])
    assert [call["caller_number"] for call in by_answer] == [
        "15550101",
        "15550102",
        "15550103",
        "15550104",
    ]
    talks = [(call["answered_at"], call["ended_at"]) for call in by_answer]
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(talks))


def test_a_member_of_two_queues_talks_to_one_caller_at_a_time(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    member = "Local/tone1000@party/n"
    node = {"type": "queue", "record_call": False}
    queues = {name: {"members": [member]} for name in ("one", "two")}
    use_flow(
        live_env,
        {
            "one": {**node, "queue": "one", "max_wait_seconds": 2, "next": "two"},
            "two": {**node, "queue": "two"},
        },
        queues=queues,
    )
    first = place(asterisk, 1)
    wait_until(lambda: in_talk(live_env) == ["15550101"], "the first talks")
    place(asterisk, 2)
    queue_of = "SELECT queue FROM waiting"
    wait_until(lambda: rows(live_env, queue_of) == [{"queue": "two"}], "it waits in the other")
    assert in_talk(live_env) == ["15550101"]
    first.hang_up()
    wait_until(lambda: in_talk(live_env) == ["15550102"], "the second talks")


def test_the_wait_over_leads_to_next(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_queue(live_env, "never", max_wait_seconds=2, next="after")
    place(asterisk, 1)
    (ended,) = ended_calls(live_env)
    assert [step["result"] for step in ended["path"]] == ["wait_over", "played"]
    assert recordings(live_env) == []
    assert waiting(live_env) == []


def test_a_caller_who_hangs_up_leaves_the_queue_and_is_counted_as_abandoned(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    (member,) = use_queue(live_env, "tone1000")
    run_flask(live_env, "queues", "pause", "team", member)
    call = place(asterisk, 1)
    wait_until(lambda: waiting(live_env) == ["15550101"], "the caller waits")
    assert "15550101" in run_flask(live_env, "queues", "list").stdout
    call.hang_up()
    wait_until(lambda: waiting(live_env) == [], "the caller waits no more")
    (ended,) = ended_calls(live_env)
    assert ended["disposition"] == "abandoned"
    assert recordings(live_env) == []


def test_callers_who_leave_as_the_member_comes_free_are_gone(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_queue(live_env, "tone1000")
    place(asterisk, 0)
    wait_until(lambda: in_talk(live_env) == ["15550100"], "the member talks")
    leaving = [place(asterisk, number) for number in (1, 2, 3)]
    wait_until(lambda: len(waiting(live_env)) == 3, "three wait")
    member = next(c["id"] for c in asterisk.channels() if c["id"].startswith("callytics-"))
    database = live_env["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(database)) as lock, ThreadPoolExecutor() as pool:
        # The claim of the member waits for the lock: in this time the callers leave.
        lock.execute("BEGIN IMMEDIATE")
        asterisk.ari("DELETE", f"channels/{member}")
        wait_until(lambda: not asterisk.ari("GET", f"channels/{member}").ok, "the member is free")
        list(pool.map(PlacedCall.hang_up, leaving))
        journal = Path(live_env["RECORDINGS_DIR"]) / ".calls"
        wait_until(lambda: not list(journal.rglob("*.json")), "all calls have ended")
        lock.rollback()
    ended = ended_calls(live_env, 4)
    assert [call["disposition"] for call in ended] == ["answered", *["abandoned"] * 3]
    assert [call["problem"] for call in ended] == [""] * 4
    assert waiting(live_env) == []
    assert len(lines_with(worker_process.log, "cannot be rung")) <= 3
    place(asterisk, 5)
    wait_until(lambda: in_talk(live_env) == ["15550105"], "the member is rung for the next")


def test_a_paused_member_is_rung_when_resumed(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    (member,) = use_queue(live_env, "tone1000")
    flask(live_env, "queues", "pause", "team", member)
    place(asterisk, 1)
    wait_until(lambda: waiting(live_env) == ["15550101"], "the caller waits")
    run_flask(live_env, "queues", "resume", "team", member)
    wait_until(lambda: in_talk(live_env) == ["15550101"], "the member answers")


def test_a_member_who_never_answers_does_not_keep_the_others_from_being_rung(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_queue(live_env, "never", "tone1000__1", ring_seconds=1)
    place(asterisk, 1)
    (ended,) = ended_calls(live_env)
    assert ended["callee"] == "Local/tone1000__1@party/n"


@pytest.mark.parametrize("strategy", ["ring_all", "random"])
def test_other_strategies_find_the_one_who_answers(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker, strategy: str
) -> None:
    use_queue(live_env, "never", "busy", "tone1000__1", strategy=strategy, ring_seconds=1)
    place(asterisk, 1)
    (ended,) = ended_calls(live_env)
    assert ended["callee"] == "Local/tone1000__1@party/n"
    wait_until(lambda: not asterisk.channels(), "nobody is left on a line")


def test_the_longest_idle_member_is_rung_first(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_queue(live_env, "tone1000__1", "tone1600__1")
    for count in (1, 2, 3):
        place(asterisk, count)
        ended_calls(live_env, count)
    callees = [call["callee"] for call in calls(live_env)]
    one, other = "Local/tone1000__1@party/n", "Local/tone1600__1@party/n"
    assert callees == [one, other, one]


def test_wrap_up_time_is_kept(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_queue(live_env, "tone1000__1", wrap_up_seconds=3)
    for count in (1, 2):
        place(asterisk, count)
    ended_calls(live_env, 2)
    gap = "SELECT (julianday(b.answered_at) - julianday(a.ended_at)) * 86400 AS seconds"
    between = f"{gap} FROM calls a, calls b WHERE a.answered_at < b.answered_at"
    assert rows(live_env, between)[0]["seconds"] > 2.5


def test_a_member_whose_endpoint_is_in_use_is_not_rung(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    use_queue(live_env, "tone1000")
    other = asterisk.place_call("tone1000", "silent", context="party")
    wait_until(
        lambda: (
            asterisk.ari("GET", "deviceStates/Local%2Ftone1000@party").json()["state"] == "INUSE"
        ),
        "the member is on another call",
    )
    place(asterisk, 1)
    wait_until(lambda: waiting(live_env) == ["15550101"], "the caller waits")
    assert in_talk(live_env) == []
    other.hang_up()
    wait_until(lambda: in_talk(live_env) == ["15550101"], "the member answers")
