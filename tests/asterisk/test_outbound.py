"""Direct outbound calls on a real Asterisk: from the dialplan and from the command line."""

import pytest

from tests.support.asterisk import AsteriskServer
from tests.support.command import flask
from tests.support.processes import Worker, run_flask
from tests.support.rows import audio_of, calls, ended_calls, recordings, recordings_in
from tests.support.tones import HEARD_DB, loudest_db
from tests.support.waiting import wait_until

Env = dict[str, str]


def use_settings(environment: Env, **settings: str) -> None:
    """Set these settings as an administrator does."""
    for key, value in settings.items():
        flask(environment, "settings", "set", key, value)


@pytest.fixture
def house(live_env: Env, worker_process: Worker) -> Env:
    """An installation whose outside is the test dialplan: number 1000 speaks 1000 Hz."""
    use_settings(live_env, outbound_endpoint="Local/tone{number}__2@party/n")
    return live_env


def test_an_outbound_call_is_recorded_when_the_setting_is_on(
    asterisk: AsteriskServer, house: Env
) -> None:
    use_settings(house, record_outbound_calls="true")
    asterisk.place_call("1600", "tone440", context="from-internal", caller_number="201")
    (ended,) = ended_calls(house)
    (recording,) = recordings_in(house, "available")
    levels = loudest_db(audio_of(house, recording), (440, 1600))
    assert min(levels.values()) > HEARD_DB
    assert (recording["kind"], recording["direction"]) == ("outbound", "outbound")
    assert (recording["caller_number"], recording["dialed_number"]) == ("201", "1600")
    assert ended["disposition"] == "answered"


def test_an_outbound_call_is_not_recorded_when_the_setting_is_off(
    asterisk: AsteriskServer, house: Env
) -> None:
    asterisk.place_call("1600", "tone440", context="from-internal")
    (ended,) = ended_calls(house)
    assert ended["disposition"] == "answered"
    assert recordings(house) == []


def test_the_setting_counts_at_the_moment_of_the_call(asterisk: AsteriskServer, house: Env) -> None:
    for count, value in ((1, "true"), (2, "false")):
        use_settings(house, record_outbound_calls=value)
        asterisk.place_call("1600", "tone440", context="from-internal")
        ended_calls(house, count)
    assert len(recordings_in(house, "available")) == 1


def test_without_an_endpoint_the_caller_hears_that_it_is_not_possible(
    asterisk: AsteriskServer, live_env: Env, worker_process: Worker
) -> None:
    call = asterisk.place_call("1600", "tone440", context="from-internal")
    (ended,) = ended_calls(live_env)
    assert ended["disposition"] == "failed"
    assert "outbound_endpoint" in ended["problem"]
    assert "outbound_endpoint" in worker_process.log.read_text()
    wait_until(lambda: not call.is_up(), "the caller is let go")


def test_place_rings_the_person_first_and_then_the_number(
    asterisk: AsteriskServer, house: Env
) -> None:
    use_settings(house, record_outbound_calls="true")
    run_flask(house, "calls", "place", "--from", "Local/tone440@party/n", "--to", "1600")
    (recording,) = recordings_in(house, "available")
    levels = loudest_db(audio_of(house, recording), (440, 1600))
    assert min(levels.values()) > HEARD_DB
    assert recording["dialed_number"] == "1600"
    assert recording["caller_number"] == "tone440@party/n"


@pytest.mark.parametrize("number", ["1600@evil", "16 00", "1600&SIP/x", "", "1600,s,1"])
def test_a_number_that_could_change_a_dial_string_is_refused(
    asterisk: AsteriskServer, house: Env, number: str
) -> None:
    answer = flask(
        house, "calls", "place", "--from", "Local/tone440@party/n", "--to", number, check=False
    )
    assert answer.returncode != 0
    assert "digits" in answer.stderr
    assert calls(house) == []
    assert asterisk.channels() == []


def test_the_number_from_the_dialplan_is_checked_too(asterisk: AsteriskServer, house: Env) -> None:
    asterisk.place_call("1600", "tone440", context="outbound-unchecked")
    (ended,) = ended_calls(house)
    assert ended["disposition"] == "failed"
    assert "digits" in ended["problem"]
