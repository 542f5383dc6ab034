"""Recordings that nginx sends: the same bytes to the same people, and still written down."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from callytics.config import ConfigError, load_config
from callytics.people import users
from tests.support.nginx import Nginx
from tests.support.processes import Web
from tests.support.shelf import Shelf, signed_in, wav_bytes
from tests.support.waiting import wait_until

WAV = wav_bytes(bytes(range(256)) * 400)


@pytest.fixture
def web_log(tmp_path: Path) -> Callable[[], str]:
    """Return the log of the web server so far."""
    return (tmp_path / "web.log").read_text


@pytest.fixture
def nginx(web_env: dict[str, str], tmp_path: Path) -> Iterator[Nginx]:
    environment = {**web_env, "ACCEL_REDIRECT": "/stored-recordings/"}
    with (
        Web(environment, tmp_path) as web,
        Nginx(web.url, Path(environment["RECORDINGS_DIR"])) as nginx,
    ):
        yield nginx


def test_nginx_sends_any_part_of_a_recording_and_it_is_written_down(shelf: Shelf, nginx: Nginx):
    kept = shelf.add(WAV)
    rita = signed_in(nginx.url, "rita")
    address = f"{nginx.url}/recordings/{kept.uid}/audio"
    whole = rita.get(address, timeout=60)
    assert (whole.content, whole.headers["Content-Type"]) == (WAV, "audio/wav")
    assert "X-Accel-Redirect" not in whole.headers
    part = rita.get(address, headers={"Range": "bytes=-1000"}, timeout=60)
    assert (part.status_code, part.content) == (206, WAV[-1000:])
    same = rita.get(address, headers={"If-None-Match": whole.headers["ETag"]}, timeout=60)
    assert same.status_code == 304
    wait_until(lambda: shelf.accesses(kept) == [("rita", "play")], "it is in the audit, once")
    saved = rita.get(f"{nginx.url}/recordings/{kept.uid}/download", timeout=60)
    assert saved.content == WAV
    assert saved.headers["Content-Disposition"].startswith("attachment")
    assert saved.headers["Cache-Control"] == "no-store"
    assert saved.headers["X-Content-Type-Options"] == "nosniff"


def test_a_voicemail_needs_its_header_so_callytics_sends_it(shelf: Shelf, nginx: Nginx):
    kept = shelf.add(bytes(8000), format="ulaw", kind="voicemail")
    sound = signed_in(nginx.url, "rita").get(f"{nginx.url}/recordings/{kept.uid}/audio", timeout=60)
    assert sound.content[:4] == b"RIFF"
    assert sound.content.endswith(bytes(8000))


def test_the_next_parts_come_without_callytics(shelf: Shelf, nginx: Nginx, web_log) -> None:
    kept = shelf.add(WAV)
    rita = signed_in(nginx.url, "rita")
    address = f"{nginx.url}/recordings/{kept.uid}/audio"
    for first in range(100):
        part = {"Range": f"bytes={first}-{first + 9}"}
        assert rita.get(address, headers=part, timeout=60).content == WAV[first : first + 10]
    # One each two seconds, and one more for a session that has no token yet.
    assert 1 <= web_log().count(f"GET /recordings/{kept.uid}/audio") < 50
    assert shelf.accesses(kept) == [("rita", "play")]


def test_what_is_no_file_is_said_as_callytics_says_it(shelf: Shelf, nginx: Nginx) -> None:
    rita = signed_in(nginx.url, "rita")
    going_on = shelf.add(None, state="recording")
    for uid, status, said in (
        ("00000000000000000000", 404, "There is no such recording"),
        (going_on.uid, 409, "still being recorded"),
    ):
        answer = rita.get(f"{nginx.url}/recordings/{uid}/audio", timeout=60)
        assert (answer.status_code, said in answer.text) == (status, True)


def test_asking_how_long_it_is_is_not_hearing_it(shelf: Shelf, nginx: Nginx) -> None:
    kept = shelf.add(WAV)
    rita = signed_in(nginx.url, "rita")
    told = rita.head(f"{nginx.url}/recordings/{kept.uid}/audio", timeout=60)
    assert (told.status_code, int(told.headers["Content-Length"])) == (200, len(WAV))
    assert shelf.accesses(kept) == []


def test_a_session_that_was_ended_is_over_for_nginx_too(shelf: Shelf, nginx: Nginx) -> None:
    kept = shelf.add(WAV)
    rita = signed_in(nginx.url, "rita")
    address = f"{nginx.url}/recordings/{kept.uid}/audio"
    assert rita.get(address, timeout=60).content == WAV
    with shelf.app.app_context():
        users.end_sessions(users.user_named("rita").id)
    wait_until(
        lambda: rita.get(address, timeout=60).url.startswith(f"{nginx.url}/login"),
        "she is asked to sign in",
    )


def test_nobody_hears_what_another_may_hear(shelf: Shelf, nginx: Nginx) -> None:
    kept = shelf.add(WAV)
    address = f"{nginx.url}/recordings/{kept.uid}/audio"
    assert signed_in(nginx.url, "rita").get(address, timeout=60).content == WAV
    assert requests.get(address, timeout=60).url.startswith(f"{nginx.url}/login")
    assert requests.get(f"{nginx.url}/asked-of-callytics", timeout=60).status_code == 404


def test_nobody_reaches_the_files_past_callytics(shelf: Shelf, nginx: Nginx):
    kept = shelf.add(WAV)
    rita = signed_in(nginx.url, "rita")
    assert rita.get(f"{nginx.url}/stored-recordings/{kept.path}", timeout=60).status_code == 404
    rita.cookies.clear()
    asked = rita.get(f"{nginx.url}/recordings/{kept.uid}/audio", timeout=60)
    assert asked.url.startswith(f"{nginx.url}/login")


@pytest.mark.parametrize("prefix", ["stored", "/stored", "/a b/", "/x\r\nSet-Cookie: a/"])
def test_a_location_that_nginx_cannot_have_is_refused(web_env: dict[str, str], prefix: str):
    with pytest.raises(ConfigError, match="ACCEL_REDIRECT"):
        load_config({**web_env, "ACCEL_REDIRECT": prefix})
