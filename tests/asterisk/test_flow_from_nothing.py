"""From nothing to a recorded call: a flow is set up on the pages and called on a real Asterisk."""

from pathlib import Path

from playwright.sync_api import Browser, expect

from tests.support.asterisk import AsteriskServer
from tests.support.browser import complaints, new_page, sign_in
from tests.support.processes import Web, Worker
from tests.support.rows import audio_of, calls, ended_calls, recordings, recordings_in, use_flow
from tests.support.shelf import Shelf
from tests.support.tones import HEARD_DB, loudest_db
from tests.support.waiting import wait_until

GREETING, CALLER, PHONE = 700, 440, 1000
PHONES = ("Local/never@party/n", f"Local/tone{PHONE}_1@party/n", "Local/busy@party/n")


def test_greeting_three_phones_else_voicemail_and_the_conversation_is_recorded(
    asterisk: AsteriskServer,
    live_env: dict[str, str],
    worker_process: Worker,
    live_web_server: Web,
    browser: Browser,
) -> None:
    greeting = asterisk.add_tone(GREETING, 1.0)
    Shelf.of(live_env).add_person("ada", "admin")
    with new_page(browser, live_web_server.url) as page:
        sign_in(page)
        page.get_by_role("link", name="Flows").click()
        page.get_by_role("link", name="Set up the first flow").click()
        page.get_by_role("link", name="Greeting, ring phones").click()
        page.get_by_label("Numbers").fill("1000")
        # Nobody need know how Asterisk calls its phones.
        for phone in ("PJSIP/alice", "PJSIP/bob", "PJSIP/alice"):
            page.get_by_role("button", name=f"Add {phone}").click()
        phones = page.get_by_label("Phones to ring")
        expect(phones).to_have_value("PJSIP/alice\nPJSIP/bob")
        assert complaints(page) == "[]"
        phones.fill("\n".join(PHONES))
        page.get_by_label("Greeting").fill(greeting)
        expect(page.get_by_label("Record the conversation")).to_be_checked()
        page.get_by_role("button", name="Add this flow").click()
        page.get_by_role("button", name="Publish").click()
        expect(page.get_by_role("status")).to_contain_text("published, for the next call")
    call = asterisk.place_call("1000", f"tone{CALLER}")
    (recording,) = recordings_in(live_env, "recording")
    audio: Path = audio_of(live_env, recording)
    wait_until(lambda: audio.exists() and audio.stat().st_size > 30_000, "audio")
    call.hang_up()
    (ended,) = ended_calls(live_env)
    assert [step["node"] for step in ended["path"]] == ["greeting", "phones"]
    assert [step["result"] for step in ended["path"]] == ["played", "answered"]
    recordings_in(live_env, "available")
    (kept,) = recordings(live_env)
    assert (kept["kind"], kept["callee"]) == ("hunt_group", PHONES[1])
    levels = loudest_db(audio, (GREETING, CALLER, PHONE))
    assert levels[CALLER] > HEARD_DB
    assert levels[PHONE] > HEARD_DB
    assert levels[GREETING] < HEARD_DB


def test_a_call_in_progress_keeps_its_flow_and_the_next_gets_the_new_one(
    asterisk: AsteriskServer, live_env: dict[str, str], worker_process: Worker
) -> None:
    greeting = {"type": "play_audio", "media": asterisk.add_tone(GREETING, 2.0), "next": "desk"}
    desk = {"type": "transfer", "ring_seconds": 20}
    use_flow(live_env, {"greeting": greeting, "desk": {**desk, "destination": PHONES[1]}})
    first = asterisk.place_call("1000", f"tone{CALLER}")
    wait_until(lambda: [c["path"] for c in calls(live_env) if c["path"]], "the greeting is played")
    use_flow(live_env, {"front": {**desk, "destination": "Local/tone1600_1@party/n"}})
    (going,) = wait_until(
        lambda: [c for c in calls(live_env) if c["answered_at"]], "it is answered"
    )
    first.hang_up()
    (ended,) = ended_calls(live_env)
    assert [step["node"] for step in ended["path"]] == ["greeting", "desk"]
    assert going["callee"] == PHONES[1]
    second = asterisk.place_call("1000", f"tone{CALLER}")
    wait_until(lambda: [c for c in calls(live_env)[1:] if c["answered_at"]], "it is answered")
    second.hang_up()
    assert [step["node"] for step in ended_calls(live_env, 2)[1]["path"]] == ["front"]
