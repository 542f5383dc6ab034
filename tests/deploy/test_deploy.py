"""Asterisk as we install, configure and start it, and the dialplan while the worker is away."""

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import websocket

from deploy.asterisk.installation import LaunchError
from deploy.asterisk.render import replace_value, socket_folder
from tests.support.asterisk import PASSWORD, AsteriskServer, PlacedCall
from tests.support.ports import free_port
from tests.support.process import PROJECT
from tests.support.tones import loudest_db, seconds_heard, spans_heard, write_tone
from tests.support.waiting import wait_until

INSTALLER = PROJECT / "deploy/asterisk/install"


def run_installer(tmp_path: Path, **programs: str) -> subprocess.CompletedProcess[str]:
    """Run the installer where there are only these programs, each given by what it prints."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("bash", "sed"):
        (folder / name).symlink_to(str(shutil.which(name)))
    for name, output in programs.items():
        (folder / name).write_text(f"#!/bin/sh\necho '{output}'\n")
        (folder / name).chmod(0o755)
    return subprocess.run(
        [INSTALLER],
        env={"PATH": str(folder), "CALLYTICS_CACHE": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(("user", "reason"), [("0", "not Debian"), ("1000", "root")])
def test_where_asterisk_cannot_be_had_one_sentence_says_what_to_set(tmp_path, user, reason):
    done = run_installer(tmp_path, id=user, asterisk="Asterisk 16.28.0~dfsg-0+deb11u4")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    for words in ("ARI_URL", "ARI_USERNAME", "ARI_PASSWORD", "RECORDINGS_DIR", reason):
        assert words in done.stderr


def test_an_asterisk_that_is_new_enough_is_used_as_it_is(tmp_path):
    done = run_installer(tmp_path, asterisk="Asterisk 20.6.0~dfsg+~cs6.13.40431414-2build5")
    assert (done.returncode, done.stdout, done.stderr) == (0, "/\n", "")


def test_what_is_installed_is_found_again_at_once():
    subprocess.run([INSTALLER], check=True)
    started = time.monotonic()
    subprocess.run([INSTALLER], check=True)
    assert time.monotonic() - started < 10  # an installation takes longer than that


def test_a_value_is_replaced_in_its_section_only():
    text = "[a]\nbind = 1\n[b]\n; bind = 9\nbind => 2\nother = 3\n"
    assert replace_value(text, "b", "bind", "x") == text.replace("=> 2", "=> x")
    with pytest.raises(LaunchError, match=r"no other in \[a\]"):
        replace_value(text, "a", "other", "x")


def test_the_control_socket_fits_its_limit_however_deep_the_folder(tmp_path):
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    folder = socket_folder(deep)
    try:
        assert len(f"{folder}/asterisk.ctl") <= 107
        assert folder == socket_folder(deep)
        assert folder.stat().st_mode & 0o077 == 0
    finally:
        folder.rmdir()


def test_a_port_that_is_taken_is_named(asterisk: AsteriskServer, tmp_path):
    command = [sys.executable, "-m", "deploy.asterisk.launch", "--home", str(tmp_path)]
    command += ["--recordings", str(tmp_path / "recordings")]
    command += ["--http-port", str(asterisk.http_port), "--sip-port", str(free_port())]
    done = subprocess.run(
        command,
        cwd=PROJECT,
        env={"ARI_PASSWORD": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert str(asterisk.http_port) in done.stderr


@pytest.mark.asterisk
def test_asterisk_starts_without_a_complaint_and_ends_cleanly(tmp_path):
    with AsteriskServer(tmp_path) as server:
        assert server.ari("GET", "asterisk/info").json()["system"]["version"] >= "20"
        phones = {endpoint["resource"] for endpoint in server.ari("GET", "endpoints").json()}
        assert {"alice", "bob", "carol", "desk", "trunk"} <= phones
        process = server.process
        server.terminate()
        assert process.returncode == 0
        assert "ERROR" not in server.log.read_text()
        assert "WARNING" not in server.log.read_text()


@pytest.mark.asterisk
def test_after_a_kill_it_starts_again_in_the_same_folder(tmp_path):
    with AsteriskServer(tmp_path) as server:
        server.kill()
        server.start()
        assert "System uptime" in server.cli("core show uptime")


def is_up(asterisk: AsteriskServer, channel_id: str) -> bool:
    """Return True if this channel has been answered."""
    return asterisk.ari("GET", f"channels/{channel_id}").json().get("state") == "Up"


@pytest.fixture
def bare_app(asterisk: AsteriskServer):
    """A registered Stasis application "bare"; its WebSocket."""
    url = f"ws://127.0.0.1:{asterisk.http_port}/ari/events?app=bare"
    listener = websocket.create_connection(f"{url}&api_key=callytics:{PASSWORD}", timeout=60)
    yield listener
    asterisk.hang_up_all()
    listener.close()


def test_both_parties_of_a_bridge_are_heard_in_its_recording(asterisk, bare_app):
    for channel_id, party in (("low", "tone440"), ("high", "tone1000_1")):
        endpoint = {"endpoint": f"Local/{party}@party/n", "app": "bare"}
        asterisk.ari("POST", f"channels/{channel_id}", params=endpoint)
    for channel_id in ("low", "high"):
        wait_until(lambda name=channel_id: is_up(asterisk, name), f"{channel_id} has answered")
    asterisk.ari("POST", "bridges/both", params={"type": "mixing"})
    asterisk.ari("POST", "bridges/both/addChannel", params={"channel": "low,high"})
    asterisk.ari("POST", "bridges/both/record", params={"name": "a/both", "format": "wav"})
    file = asterisk.recordings / "a/both.wav"
    wait_until(lambda: file.exists() and file.stat().st_size > 3 * 16000, "3 s are written")
    asterisk.ari("DELETE", "channels/high")
    wait_until(lambda: file.stat().st_size > 5 * 16000, "2 s more are written")
    asterisk.ari("POST", "recordings/live/a%2Fboth/stop")
    finished = wait_until(lambda: _event(bare_app, "RecordingFinished"), "RecordingFinished")
    assert finished["recording"]["state"] == "done"
    assert seconds_heard(file, 440) > 4
    assert 2 < seconds_heard(file, 1000) < seconds_heard(file, 440) - 1
    assert spans_heard(file, 1000)[-1][1] < spans_heard(file, 440)[-1][1] - 1
    assert loudest_db(file, [700])[700] < -45


def _event(listener: websocket.WebSocket, kind: str) -> dict | None:
    event = json.loads(listener.recv())
    return event if event["type"] == kind else None


@pytest.mark.parametrize(("party", "cause"), [("busy", 17), ("refuse", 21), ("absent", 20)])
def test_parties_who_do_not_answer_say_why(asterisk, bare_app, party, cause):
    asterisk.ari(
        "POST",
        f"channels/{party}",
        params={"endpoint": f"Local/{party}@party/n", "app": "bare"},
    )
    ended = wait_until(lambda: _event(bare_app, "ChannelDestroyed"), "the channel ends")
    assert ended["cause"] == cause


def test_voicemail_ends_when_the_speaking_party_presses_hash(asterisk, bare_app):
    asterisk.ari(
        "POST",
        "channels/speaker",
        params={"endpoint": "Local/speak440_4_#@party/n", "app": "bare"},
    )
    wait_until(lambda: is_up(asterisk, "speaker"), "the speaker has answered")
    options = {"name": "message", "format": "ulaw", "terminateOn": "#"}
    asterisk.ari("POST", "channels/speaker/record", params=options)
    wait_until(lambda: _event(bare_app, "RecordingFinished"), "RecordingFinished")
    file = asterisk.recordings / "message.ulaw"
    assert 0.5 < seconds_heard(file, 440) < 5
    assert asterisk.ari("GET", "channels/speaker").ok


@pytest.mark.asterisk
def test_while_no_worker_is_there_calls_are_connected_and_recorded(tmp_path):
    with AsteriskServer(tmp_path) as asterisk:
        call = asterisk.place_call("1000", "tone440")
        wait_until(call.is_up, "the call is there")
        file = wait_until(
            lambda: next(iter(asterisk.recordings.glob("*/*/*/*.wav")), None), "it is recorded"
        )
        wait_until(lambda: file.stat().st_size > 3 * 16000, "3 s are written")
        call.hang_up()
        wait_until(lambda: not asterisk.channels(), "both have hung up")
        assert seconds_heard(file, 440) > 2
        assert "doesn't exist" in asterisk.log.read_text()


def test_a_caller_has_a_number_and_a_name(asterisk: AsteriskServer):
    call = asterisk.place_call("1000", "tone440", caller_number="4930123", caller_name="Eve")
    entered = wait_until(lambda: _dialplan_side(asterisk, call), "the call enters the dialplan")
    assert entered["caller"] == {"name": "Eve", "number": "4930123"}
    asterisk.hang_up_all()


def _dialplan_side(asterisk: AsteriskServer, call: PlacedCall) -> dict | None:
    other = f"{call.channel_id};2"
    # A Local channel is listed a moment before it knows its caller.
    known = (c for c in asterisk.channels() if c["id"] == other and c["caller"]["number"])
    return next(known, None)


def test_the_tune_on_hold_is_the_harness_own(asterisk, bare_app):
    endpoint = {"endpoint": "Local/mute@party/n", "app": "bare"}
    asterisk.ari("POST", "channels/waiting", params=endpoint)
    wait_until(lambda: is_up(asterisk, "waiting"), "the channel is up")
    asterisk.ari("POST", "bridges/hold", params={"type": "mixing"})
    asterisk.ari("POST", "bridges/hold/addChannel", params={"channel": "waiting"})
    asterisk.ari("POST", "bridges/hold/moh")
    asterisk.ari("POST", "bridges/hold/record", params={"name": "hold", "format": "wav"})
    file = asterisk.recordings / "hold.wav"
    wait_until(lambda: file.exists() and file.stat().st_size > 2 * 16000, "2 s are written")
    asterisk.ari("POST", "recordings/live/hold/stop")
    wait_until(lambda: _event(bare_app, "RecordingFinished"), "RecordingFinished")
    assert loudest_db(file, [300])[300] > -30


def test_levels_are_those_of_the_tone_that_was_written(tmp_path):
    write_tone(tmp_path / "tone.wav", 440, 1, db=-12)
    found = loudest_db(tmp_path / "tone.wav", [440, 1000])
    assert found[440] == pytest.approx(-12, abs=0.1)
    assert found[1000] < -80
