"""A real call through several nodes, and what its page says of it afterwards."""

import pytest

from tests.asterisk.test_transfer import transfer
from tests.support.asterisk import AsteriskServer
from tests.support.pages import PageClient, text_of
from tests.support.processes import Worker
from tests.support.rows import audio_of, ended_calls, recordings_in, use_flow
from tests.support.shelf import Shelf
from tests.support.waiting import wait_until
from tests.web.calls.test_calls_page import steps_of

Env = dict[str, str]


@pytest.fixture
def reviewer(live_env: Env, worker_process: Worker) -> PageClient:
    """Somebody who looks at the pages of the installation that the worker works for."""
    shelf = Shelf.of(live_env)
    shelf.app.test_client_class = PageClient
    shelf.add_person("rita")
    return shelf.client("rita")


def test_a_call_through_a_prompt_a_busy_desk_and_a_mailbox_shows_its_whole_path(
    asterisk: AsteriskServer, live_env: Env, reviewer: PageClient
) -> None:
    greeting = {"type": "play_audio", "media": asterisk.add_tone(710, 1.0), "next": "desk"}
    message = {"type": "voicemail", "greeting": asterisk.add_tone(720, 0.5)}
    desk = transfer("busy", next="message")
    use_flow(live_env, {"greeting": greeting, "desk": desk, "message": message})
    call = asterisk.place_call("1000", "tone440")
    (recording,) = recordings_in(live_env, "recording")
    uid = recording["call_uid"]
    while_it_goes_on = reviewer.get(f"/calls/{uid}")
    assert "This page follows it by itself." in text_of(while_it_goes_on)
    assert "Going on" in steps_of(while_it_goes_on)[3]
    audio = audio_of(live_env, recording)
    wait_until(lambda: audio.exists() and audio.stat().st_size > 12_000, "a second and a half")
    call.hang_up()
    ended_calls(live_env)

    page = reviewer.get(f"/calls/{uid}")
    _began, greeted, rang, left, ended = steps_of(page)
    assert "greeting Play audio, 00:01 Played to its end" in greeted
    assert "desk Transfer, 00:0" in rang
    assert rang.endswith("Busy")
    assert "message Voicemail, 00:0" in left
    assert "A message was left Voicemail recording from" in left
    assert ended.endswith("Call ended : ended normally cause 16")
    assert f'src="/recordings/{recording["uid"]}/audio"' in page.get_data(as_text=True)
    assert "notice" not in page.get_data(as_text=True)
    row = text_of(reviewer.get("/calls?disposition=no_answer"))
    assert "Ann Example 15551234 1000 Nobody" in row
    assert "Nobody answered Listen to Voicemail" in row


def test_a_call_to_a_busy_number_alone_is_busy(
    asterisk: AsteriskServer, live_env: Env, reviewer: PageClient
) -> None:
    use_flow(live_env, {"desk": transfer("busy")})
    asterisk.place_call("1000", "tone440")
    (ended,) = ended_calls(live_env)
    assert ended["uid"] in reviewer.get("/calls?disposition=busy").get_data(as_text=True)
    assert steps_of(reviewer.get(f"/calls/{ended['uid']}"))[1].endswith("Busy")
