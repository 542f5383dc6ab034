"""Calls in progress while a PBX gets another name: its worker leads them on."""

import json
import socket
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import create_engine, text

from tests.support.asterisk import AsteriskServer
from tests.support.processes import Worker
from tests.support.rows import audio_of, ended_calls, recordings_in, rows, use_flow
from tests.support.waiting import wait_until

DESK = {"type": "transfer", "destination": "Local/tone1000@party/n", "record_call": True}
Env = dict[str, str]


def test_calls_from_before_pbxs_had_names_are_led_on_after_an_upgrade(
    asterisk: AsteriskServer, live_env: Env, tmp_path: Path
) -> None:
    use_flow(live_env, {"desk": DESK})
    with Worker(live_env, tmp_path) as worker:
        call = asterisk.place_call("1000", "tone440")
        (recording,) = recordings_in(live_env, "recording")
        audio = audio_of(live_env, recording)
        wait_until(lambda: audio.exists() and audio.stat().st_size > 8000, "it grows")
        worker.kill()
        _make_old(live_env)
        worker.start()
        size = audio.stat().st_size
        wait_until(lambda: audio.stat().st_size > size + 16_000, "it still grows")
        assert call.is_up()
        call.hang_up()
        (ended,) = ended_calls(live_env)
        (recording,) = recordings_in(live_env, "available")
    (pbx,) = rows(live_env, "SELECT * FROM pbxs")
    assert ended["pbx"] == recording["pbx"] == pbx["name"]
    assert (ended["disposition"], recording["state_reason"]) == ("answered", "")
    assert list(Path(live_env["RECORDINGS_DIR"]).glob(".calls/**/*.json")) == []


def _make_old(environment: Env) -> None:
    """Bring rows and journal of a worker that died into the form of the version before."""
    asterisk = urlsplit(environment["ARI_URL"]).netloc
    name = f"callytics@{socket.gethostname()} ({asterisk})"
    engine = create_engine(environment["DATABASE_URL"])
    with engine.begin() as connection:
        connection.execute(text("UPDATE pbxs SET name = :name, holder = ''"), {"name": name})
        for table in ("calls", "recordings", "members", "waiting"):
            connection.execute(text(f"UPDATE {table} SET pbx = :name"), {"name": name})
    engine.dispose()
    folder = Path(environment["RECORDINGS_DIR"])
    (snapshot,) = folder.glob(".calls/*/*.json")
    values = json.loads(snapshot.read_text())
    del values["call"]["pbx"]
    values["call"]["worker"] = name
    snapshot.unlink()
    (folder / ".calls" / snapshot.name).write_text(json.dumps(values))
    (folder / ".pbx/callytics").unlink()
