"""Two PBXs on one database and one folder: each leaves alone what is the other's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from callytics.clock import utc_now
from tests.support.asterisk import AsteriskServer
from tests.support.processes import Worker
from tests.support.rows import audio_of, calls, ended_calls, recordings_in, rows, use_flow
from tests.support.shelf import Shelf
from tests.support.stage import Stage, set_stage
from tests.support.stand_in import StandInCall
from tests.support.waiting import wait_until

Env = dict[str, str]


@pytest.fixture
def stage(app_env: Env, tmp_path: Path) -> Iterator[Stage]:
    """The first PBX, whose worker runs."""
    with set_stage({**app_env, "PBX_NAME": "first"}, tmp_path) as stage:
        yield stage


def talk(stage: Stage, number: str) -> StandInCall:
    """Place a call and connect it; it is recorded."""
    call = stage.ari.place_call(number)
    stage.connect(call)
    return call


def pause(stage: Stage, call: StandInCall) -> None:
    """Pause the recording of a call, as from a page."""
    wish = {"recording": call.ids["recording"], "action": "pause", "by": "ada"}
    event = {"type": "ChannelUserevent", "eventname": "callytics-recording"}
    stage.ari.send({**event, "userevent": wish})
    wait_until(lambda: call.ids["recording"] in stage.ari.paused, "it is paused")


def journal(environment: Env) -> list[str]:
    """Return the calls in the journal, with the folders of their PBXs."""
    folder = Path(environment["RECORDINGS_DIR"]) / ".calls"
    return sorted(f"{path.parent.name}/{path.name}" for path in folder.glob("**/*.json"))


def test_a_second_pbx_touches_nothing_of_the_calls_of_the_first(
    stage: Stage, app_env: Env, tmp_path: Path
) -> None:
    live, paused = talk(stage, "15550001"), talk(stage, "15550002")
    pause(stage, paused)
    rings = stage.ari.place_call("15550003")
    wait_until(lambda: "leg" in rings.ids and len(journal(app_env)) == 3, "it rings")
    before = (journal(app_env), calls(app_env))
    # What the second one has to complete tells when it has looked at all recordings.
    own = {"state": "requested", "started_at": utc_now().replace(year=2025), "pbx": "second"}
    lost = Shelf.of(app_env).add(None, **own)

    (tmp_path / "second").mkdir()
    second = {**app_env, "PBX_NAME": "second"}
    with set_stage(second, tmp_path / "second") as other:
        (row,) = recordings_in(app_env, "failed")
        assert row["uid"] == lost.uid
        assert other.talk(other.ari.place_call("15550009"))["pbx"] == "second"
        assert [path for path in journal(app_env) if path.startswith("first/")] == before[0]
        assert [call for call in calls(app_env) if call["pbx"] == "first"] == before[1]
        assert len(recordings_in(app_env, "recording", 2)) == 2

        rings.happens("callee answers")
        for call in (live, paused, rings):
            wait_until(lambda call=call: stage.is_settled(call), "they talk")
            call.happens("caller hangs up")
            assert stage.wait_for_end(call)["pbx"] == "first"
            (recording,) = stage.recordings_of(call)
            states = (recording["state"], recording["state_reason"], recording["pbx"])
            assert states == ("available", "", "first")


DESK = {"type": "transfer", "destination": "Local/tone1000@party/n", "record_call": True}


def test_a_second_application_of_an_asterisk_leaves_the_bridges_of_the_first(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker, tmp_path: Path
) -> None:
    use_flow(live_env, {"desk": DESK})
    call = asterisk.place_call("1000", "tone440")
    (recording,) = recordings_in(live_env, "recording")
    audio = audio_of(live_env, recording)
    (tmp_path / "second").mkdir()
    with Worker({**live_env, "ARI_APP": "second"}, tmp_path / "second"):
        size = audio.stat().st_size
        wait_until(lambda: audio.stat().st_size > size + 16_000, "the first one's file grows")
        (bridge,) = asterisk.bridges()
        assert len(bridge["channels"]) == 2
        assert call.is_up()
        call.hang_up()
        (ended,) = ended_calls(live_env)
        (recording,) = recordings_in(live_env, "available")
    assert (ended["disposition"], recording["state_reason"]) == ("answered", "")
    names = {row["name"] for row in rows(live_env, "SELECT name FROM pbxs")}
    assert len(names) == 2
    assert ended["pbx"] in names


def test_callers_of_two_pbxs_wait_in_one_queue(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker, tmp_path: Path
) -> None:
    node = {"type": "queue", "queue": "team"}
    queues = {"team": {"members": ["Local/tone1000@party/n"]}}
    use_flow(live_env, {"line": node}, queues=queues)
    (tmp_path / "second").mkdir()
    with Worker({**live_env, "ARI_APP": "second"}, tmp_path / "second"):
        # Applications of one Asterisk: the queue knows its callers by the database only.
        talks = call_application(asterisk, "callytics", "15550101")
        wait_until(lambda: answered(live_env) == ["15550101"], "the first caller talks")
        call_application(asterisk, "second", "15550102")
        waiting = "SELECT caller_number FROM waiting"
        wait_until(lambda: rows(live_env, waiting), "the second caller waits")
        last = call_application(asterisk, "callytics", "15550103")
        wait_until(lambda: len(rows(live_env, waiting)) == 2, "the third caller waits")
        asterisk.ari("DELETE", f"channels/{talks}")
        wait_until(lambda: len(answered(live_env)) == 2, "the next caller talks")
        assert answered(live_env) == ["15550101", "15550102"]
        asterisk.ari("DELETE", f"channels/{last}")
        asterisk.hang_up_all()
        assert len({call["pbx"] for call in ended_calls(live_env, 3)}) == 2


def call_application(asterisk: AsteriskServer, app: str, number: str) -> str:
    """Let a caller enter a Stasis application, as from its trunk; return the channel."""
    caller = {"endpoint": "Local/tone440@party/n", "callerId": number, "channelId": number}
    values = {**caller, "app": app, "appArgs": "inbound,1000"}
    assert asterisk.ari("POST", "channels", params=values).ok
    return number


def answered(environment: Env) -> list[str]:
    """Return the numbers of those who talked or talk, in the order of their answers."""
    query = "SELECT caller_number FROM calls WHERE answered_at IS NOT NULL ORDER BY answered_at"
    return [row["caller_number"] for row in rows(environment, query)]
