"""Listening in a real Firefox: both formats play, seek, and go on from any byte."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.firefox import Firefox
from tests.support.processes import Web
from tests.support.shelf import PASSWORD, STARTED_AT, Shelf
from tests.support.sounds import ulaw, wav

SECONDS = 40
AUDIO = "document.querySelector('audio')"
# Without a sound card Firefox has nothing to play to, and calls that an error of the file.
MUTE = """document.addEventListener("htmx:load", () => {
    document.querySelectorAll("audio").forEach((audio) => { audio.muted = true; });
})"""
SIGN_IN = f"""(() => {{
    document.querySelector('[name=username]').value = 'ada';
    document.querySelector('[name=password]').value = '{PASSWORD}';
    document.querySelector('main form button').click();
}})()"""


@pytest.fixture
def firefox(tmp_path: Path, web: Web) -> Iterator[Firefox]:
    with Firefox(tmp_path / "firefox") as firefox:
        firefox.go(f"{web.url}/login")
        firefox.run(SIGN_IN)
        firefox.until("location.pathname === '/recordings'", "somebody is signed in")
        yield firefox


@pytest.mark.parametrize("audio_format", ["wav", "ulaw"])
def test_a_recording_plays_in_the_row_and_seeks(
    shelf: Shelf, firefox: Firefox, web: Web, audio_format: str
) -> None:
    content = (wav if audio_format == "wav" else ulaw)((SECONDS, True))
    shelf.add(
        content,
        caller_name="Ann",
        callee="PJSIP/desk",
        format=audio_format,
        duration_ms=SECONDS * 1000,
        started_at=STARTED_AT + timedelta(minutes=1),
    )
    firefox.go(f"{web.url}/recordings")
    firefox.run(MUTE)
    firefox.run("document.querySelector('a[data-opens=player]').click()", activates=True)
    firefox.until(f"{AUDIO} && {AUDIO}.currentTime > 0.5", "it plays")
    assert firefox.run(f"Math.round({AUDIO}.duration)") == SECONDS
    # Far beyond what was loaded by now, so it is a range of its own.
    firefox.run(f"{AUDIO}.currentTime = {SECONDS - 10}")
    firefox.until(f"{AUDIO}.currentTime > {SECONDS - 9.5}", "it goes on there")
    assert firefox.run(f"{AUDIO}.error") is None
    assert firefox.run("document.querySelector('.trouble').hidden")
    assert firefox.run("document.querySelectorAll('.wave path').length") == 1
    assert firefox.run(f"{AUDIO}.preservesPitch")
