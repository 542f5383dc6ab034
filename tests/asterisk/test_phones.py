"""Calls over real SIP and RTP: what phones and trunks send and hear, and what is kept of it."""

import re
from pathlib import Path
from typing import Any

import pytest

from callytics.calls import originate
from callytics.config import load_config
from tests.support.apps import app_of
from tests.support.command import flask
from tests.support.pages import PageClient, text_of
from tests.support.rows import (
    audio_of,
    calls,
    ended_calls,
    recordings,
    recordings_in,
    rows,
    use_flow,
    use_settings,
)
from tests.support.shelf import Shelf
from tests.support.sipp import Message, Phone, Phones
from tests.support.tones import HEARD_DB, loudest_db, seconds_heard, spans_heard
from tests.support.waiting import wait_until

CALLER, CALLEE, OTHER, GREETING = 440, 1000, 1600, 700
SECOND = 16_000  # bytes of a .wav
Env = dict[str, str]


def transfer(destination: str, **more: Any) -> dict[str, Any]:
    """A node that rings one destination and records."""
    node = {"type": "transfer", "destination": destination, "record_call": True}
    return {**node, "ring_seconds": 20, **more}


def one_recording(environment: Env, seconds: float = 1.5) -> Path:
    """The recording that goes on, as soon as it holds so much."""
    (recording,) = recordings_in(environment, "recording")
    audio = audio_of(environment, recording)
    wait_until(lambda: audio.exists() and audio.stat().st_size > seconds * SECOND, "audio")
    return audio


def test_a_call_between_two_phones_is_recorded_with_both_voices(
    phones: Phones, live_env: Env
) -> None:
    use_flow(live_env, {"desk": transfer("PJSIP/desk")})
    desk = phones.callee("desk", CALLEE)
    caller = phones.caller("1000", "15550100", CALLER)
    assert caller.wait_for("SIP/2.0 180")
    desk.answer()
    audio = one_recording(live_env)
    caller.hang_up()
    desk.wait_for("BYE")

    (recording,) = recordings_in(live_env, "available")
    (ended,) = ended_calls(live_env)
    talk = caller.wait_for("BYE").at - caller.wait_for("ACK").at
    assert min(loudest_db(audio, (CALLER, CALLEE)).values()) > HEARD_DB
    assert seconds_heard(audio, CALLEE) > 1
    assert recording["duration_ms"] == (audio.stat().st_size - 44) * 1000 // SECOND
    assert recording["duration_ms"] <= talk.total_seconds() * 1000 + 500
    assert recording["callee"] == "PJSIP/desk"
    assert (recording["caller_number"], recording["caller_name"]) == ("15550100", "Ann Example")
    assert (recording["dialed_number"], recording["kind"]) == ("1000", "transfer")
    assert (ended["disposition"], ended["hangup_cause"]) == ("answered", 16)


# Voicemail


@pytest.fixture
def mailbox(phones: Phones, live_env: Env) -> Env:
    """An installation whose number 1000 takes messages."""
    node = {"type": "voicemail", "greeting": phones.asterisk.add_tone(GREETING, 1.0)}
    use_flow(live_env, {"message": {**node, "max_seconds": 30, "max_silence_seconds": 20}})
    return live_env


def message(environment: Env) -> Path:
    """The audio of the one message; the greeting is not in it."""
    (ended,) = ended_calls(environment)
    (recording,) = recordings_in(environment, "available")
    audio = audio_of(environment, recording)
    assert (recording["kind"], audio.suffix) == ("voicemail", ".ulaw")
    assert recording["duration_ms"] == audio.stat().st_size // 8
    assert loudest_db(audio, [GREETING])[GREETING] < HEARD_DB
    assert ended["path"][0]["result"] == "message"
    return audio


def test_the_hash_key_of_a_phone_ends_a_message(phones: Phones, mailbox: Env) -> None:
    caller = phones.caller("1000", "15550100", CALLER, seconds=4.0, key="#")
    audio = message(mailbox)
    caller.wait_for("BYE")
    # The greeting and the beep go by while the caller speaks already.
    assert 0.5 < seconds_heard(audio, CALLER) < 4
    spoke_until = spans_heard(audio, CALLER)[-1][1]
    # Without the key it would have gone on until the silence was long enough.
    assert recordings(mailbox)[0]["duration_ms"] < (spoke_until + 15) * 1000


def test_a_phone_that_hangs_up_in_a_message_leaves_it(phones: Phones, mailbox: Env) -> None:
    caller = phones.caller("1000", "15550100", CALLER)
    (recording,) = recordings_in(mailbox, "recording")
    audio = audio_of(mailbox, recording)
    wait_until(lambda: audio.exists() and audio.stat().st_size >= 12_000, "a second and a half")
    caller.hang_up()
    assert seconds_heard(message(mailbox), CALLER) > 1


# Those who do not answer


def test_a_call_goes_on_past_every_way_not_to_answer(phones: Phones, live_env: Env) -> None:
    last = transfer("PJSIP/15550999@trunk")
    use_flow(
        live_env,
        {
            "busy": transfer("PJSIP/bob", next="declined"),
            "declined": transfer("PJSIP/carol", next="rings"),
            "rings": transfer("PJSIP/desk", ring_seconds=1, next="absent"),
            "absent": transfer("PJSIP/alice", next="without_power"),
            # Bob's phone answered one call and is gone; Asterisk has not been told of it.
            "without_power": transfer("PJSIP/bob", ring_seconds=1, next="last"),
            "last": last,
        },
    )
    bob, carol, desk = (phones.callee(name) for name in ("bob", "carol", "desk"))
    outside = phones.callee("trunk")
    caller = phones.caller("1000", "15550100", CALLER)
    bob.refuse("busy")
    carol.refuse("decline")
    desk.wait_for("CANCEL")
    outside.answer()
    assert "15550999@" in outside.wait_for("INVITE").start
    one_recording(live_env, 0.2)
    caller.hang_up()
    (ended,) = ended_calls(live_env)
    assert [step["result"] for step in ended["path"]] == [
        "busy",
        "refused",
        "no_answer",
        "unreachable",
        "no_answer",
        "answered",
    ]
    assert len(recordings(live_env)) == 1
    assert len(caller.messages("SIP/2.0 200")) == 2  # to INVITE and BYE: answered once, at the end


def test_a_caller_who_gives_up_while_it_rings_stops_the_ringing(
    phones: Phones, live_env: Env
) -> None:
    use_flow(live_env, {"desk": transfer("PJSIP/desk")})
    desk = phones.callee("desk")
    caller = phones.caller()
    desk.wait_for("SIP/2.0 180")
    caller.cue("give up")
    desk.wait_for("CANCEL")
    (ended,) = ended_calls(live_env)
    assert ended["disposition"] == "abandoned"
    assert recordings(live_env) == []


# Hunt group and queue


def stop_seconds(answer: Message, others: list[Phone]) -> float:
    """Return the seconds from the answer to the last CANCEL to the other phones."""
    return max((other.wait_for("CANCEL").at - answer.at).total_seconds() for other in others)


def test_the_phones_of_those_who_were_slower_stop_ringing_in_half_a_second(
    phones: Phones, live_env: Env
) -> None:
    node = {"type": "hunt_group", "destinations": ["PJSIP/alice", "PJSIP/bob", "PJSIP/carol"]}
    use_flow(live_env, {"team": {**node, "ring_seconds": 20, "record_call": True}})
    taken = []
    # A machine that has much else to do may be late once, not three times.
    for count in (1, 2, 3):
        alice, bob, carol = (phones.callee(name, CALLEE) for name in ("alice", "bob", "carol"))
        caller = phones.caller("1000", "15550100", CALLER)
        for other in (alice, carol):
            other.wait_for("SIP/2.0 180")
        bob.answer()
        taken.append(stop_seconds(bob.wait_for("SIP/2.0 200"), [alice, carol]))
        audio = one_recording(live_env, 0.8)
        caller.hang_up()
        recording = recordings_in(live_env, "available", count)[-1]
        assert (recording["kind"], recording["callee"]) == ("hunt_group", "PJSIP/bob")
        assert min(loudest_db(audio, (CALLER, CALLEE)).values()) > HEARD_DB
        assert ended_calls(live_env, count)[-1]["hangup_cause"] == 16
        if taken[-1] < 0.5:
            break
    assert min(taken) < 0.5, f"seconds until the others were told: {taken}"


def use_queue(environment: Env, *members: str) -> None:
    """Put a queue of these phones behind number 1000."""
    node = {"type": "queue", "queue": "team", "record_call": True}
    queue = {"members": [f"PJSIP/{member}" for member in members], "ring_seconds": 20}
    use_flow(environment, {"line": node}, queues={"team": {**queue, "strategy": "ring_all"}})


def test_a_member_who_is_on_another_call_or_switched_off_is_not_rung(
    phones: Phones, live_env: Env
) -> None:
    use_queue(live_env, "desk", "bob", "carol")
    desk, carol = phones.callee("desk"), phones.callee("carol", CALLEE)
    colleague = phones.caller("desk", "alice")
    desk.answer()
    caller = phones.caller("1000", "15550100", CALLER)
    carol.answer()
    audio = one_recording(live_env, 0.8)
    caller.hang_up()
    (recording,) = recordings_in(live_env, "available")
    assert recording["callee"] == "PJSIP/carol"
    assert loudest_db(audio, [CALLEE])[CALLEE] > HEARD_DB
    assert len(desk.messages("INVITE")) == 1  # the colleague's

    # A caller who waits for the two who cannot be rung is connected when one of them can.
    use_queue(live_env, "desk", "bob")
    phones.caller("1000", "15550101", CALLER)
    wait_until(lambda: rows(live_env, "SELECT * FROM waiting"), "the caller waits")
    bob = phones.callee("bob")
    bob.answer()
    one_recording(live_env, 0.2)
    assert len(desk.messages("INVITE")) == 1
    colleague.hang_up()


# Outbound


@pytest.fixture
def house(phones: Phones, live_env: Env) -> Env:
    """An installation that reaches the outside over the trunk."""
    use_settings(live_env, outbound_endpoint="PJSIP/{number}@trunk", outbound_caller_id="+15550000")
    return live_env


def test_a_phone_calls_a_number_outside_and_the_setting_says_whether_it_is_recorded(
    phones: Phones, house: Env
) -> None:
    for count, recorded in ((1, False), (2, True)):
        use_settings(house, record_outbound_calls=str(recorded).lower())
        outside = phones.callee("trunk", CALLEE)
        alice = phones.caller("+15550123", "alice", CALLER)
        outside.answer()
        alice.wait_for("ACK")
        audio = one_recording(house) if recorded else None
        alice.hang_up()
        outside.wait_for("BYE")
        ended = ended_calls(house, count)[-1]
        invite = outside.wait_for("INVITE")
        assert invite.start.startswith("INVITE sip:+15550123@")
        assert "sip:+15550000@" in invite.header("From")
        assert (ended["direction"], ended["disposition"]) == ("outbound", "answered")
        assert (ended["caller_number"], ended["dialed_number"]) == ("201", "+15550123")
        assert len(recordings(house)) == int(recorded)
        if audio:
            recordings_in(house, "available")
            assert min(loudest_db(audio, (CALLER, CALLEE)).values()) > HEARD_DB


def test_who_is_called_outside_is_not_told_who_signed_in_to_call(
    phones: Phones, house: Env
) -> None:
    use_settings(house, outbound_caller_id="")
    alice, outside = phones.callee("alice", CALLER), phones.callee("trunk", CALLEE)
    with app_of(house):
        originate.place_call(load_config(house), "PJSIP/alice", "+15550123", "rita")
    alice.answer()
    shown = outside.wait_for("INVITE").header("From")
    assert "sip:alice@" in shown
    assert "rita" not in shown
    outside.answer()
    alice.hang_up()
    (ended,) = ended_calls(house)
    assert ended["caller_name"] == "rita"


def test_a_placed_call_rings_the_person_first_and_then_the_trunk(
    phones: Phones, house: Env
) -> None:
    use_settings(house, record_outbound_calls="true")
    alice, outside = phones.callee("alice", CALLER), phones.callee("trunk", CALLEE)
    flask(house, "calls", "place", "--from", "PJSIP/alice", "--to", "+15550123")
    alice.answer()
    outside.answer()
    one_recording(house)
    alice.hang_up()
    outside.wait_for("BYE")
    (recording,) = recordings_in(house, "available")
    assert outside.wait_for("INVITE").at > alice.wait_for("ACK").at
    assert outside.wait_for("INVITE").start.startswith("INVITE sip:+15550123@")
    assert min(loudest_db(audio_of(house, recording), (CALLER, CALLEE)).values()) > HEARD_DB
    assert (recording["caller_number"], recording["dialed_number"]) == ("alice", "+15550123")


# Callers who say nothing of themselves, or too much

ANONYMOUS = "sip:anonymous@anonymous.invalid"
# What is sent as a name, and what is kept of it: Asterisk itself cuts a name after 79 bytes.
NAMES = {
    r"Ann \"the <sip:666@evil>\" Example": 'Ann "the <sip:666@evil>" Example',
    "Zoë 山田 <b>&amp;</b>": "Zoë 山田 <b>&amp;</b>",
    "A,B&PJSIP/carol|x)${CHANNEL}": "A,B&PJSIP/carol|x)${CHANNEL}",
    "Anna" * 50: ("Anna" * 50)[:79],
    "é" * 200: "é" * 39,
}


def test_whatever_name_a_caller_gives_is_shown_and_does_nothing(
    phones: Phones, live_env: Env
) -> None:
    use_flow(live_env, {"desk": transfer("PJSIP/desk")})
    for count, name in enumerate(NAMES, 1):
        desk = phones.callee("desk")
        caller = phones.caller("1000", f"1555010{count}", name=f'"{name}"')
        desk.answer()
        one_recording(live_env, 0.2)
        caller.hang_up()
        recordings_in(live_env, "available", count)
        shown = desk.wait_for("INVITE").header("From")
        assert re.fullmatch(rf'"[^"<>]+" <sip:1555010{count}@[0-9.]+>;tag=[^<>]+', shown), shown
    assert [call["caller_name"] for call in calls(live_env)] == list(NAMES.values())
    shelf = Shelf.of(live_env)
    shelf.add_person("rita")
    shelf.app.test_client_class = PageClient
    page = shelf.client("rita").get("/recordings")
    assert all(" ".join(name.split()) in text_of(page) for name in NAMES.values())


def test_callers_without_a_usable_number_are_connected_like_any_other(
    phones: Phones, live_env: Env
) -> None:
    use_flow(live_env, {"desk": transfer("PJSIP/desk")})
    odd = "sip:1%3E%0d%0aX-Evil:1@127.0.0.1"
    for from_uri, kept in ((ANONYMOUS, "anonymous"), (odd, "1>X-Evil")):
        desk = phones.callee("desk")
        caller = phones.caller("1000", "nobody", from_uri=from_uri)
        desk.answer()
        one_recording(live_env, 0.2)
        caller.hang_up()
        wait_until(lambda kept=kept: recordings(live_env)[-1]["caller_number"] == kept, kept)
        desk.wait_for("BYE")
        assert not desk.wait_for("INVITE").header("X-Evil")
    assert len(recordings_in(live_env, "available", 2)) == 2
