"""Conversation: caller and callee in a bridge, recorded if the node says so, until a hang-up."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

import gevent

from callytics.ari.commands import AriError
from callytics.clock import utc_now
from callytics.recordings.facts import Kind
from worker.calls import caller_audio
from worker.calls.bridge_ids import bridge_id_of
from worker.calls.dialing import best_result, ring_until_answer
from worker.calls.leg import Leg
from worker.calls.pause_control import PauseControl
from worker.calls.session import Session
from worker.recording.live_recording import LiveRecording

log = logging.getLogger(__name__)

# Shortest time from one segment to the next, for an Asterisk that ends each at once.
SEGMENT_SECONDS = 1.0


def connect(
    session: Session,
    rounds: Iterable[Sequence[str]],
    ring_seconds: int,
    kind: Kind,
    record: bool,
) -> str:
    """Ring round after round of destinations, and join the caller with the one that answers.

    Returns `answered` after a conversation, else the most hopeful result. Raises CallerGone.
    """
    adopted = session.joined_leg()
    if adopted is not None and converse(session, adopted, kind, record):
        return "answered"
    make_bridge(session)
    results = []
    for destinations in rounds:
        leg, result = ring_until_answer(session, destinations, ring_seconds)
        if leg is not None and converse(session, leg, kind, record):
            return "answered"
        if leg is not None:
            result = "unreachable" if leg.refused else "hung_up"
        results.append(result)
    return best_result(results)


def make_bridge(session: Session) -> str:
    """Create the call's bridge, while the destination still rings so that nobody waits for it."""
    if session.bridge_id is None:
        bridge_id = bridge_id_of(session.call.pbx, session.call.uid)
        session.services.register(bridge_id, session)
        # Set before the command, whose answer may be lost: a bridge that exists must be removed.
        session.bridge_id = bridge_id
        # The name tells a worker that finds no journal which channel is the caller's.
        session.ari.create_bridge(bridge_id, session.caller_id)
        _subscribe(session, bridge_id)
    return session.bridge_id


def _subscribe(session: Session, bridge_id: str) -> None:
    """Receive the bridge's events from now on.

    Asterisk by itself sends them only while a channel is in the bridge, and the recording may
    start before.
    """
    try:
        session.ari.subscribe_to_bridge(bridge_id)
    except AriError as error:
        log.info("call %s: no events of its bridge while it is empty: %s", session.call.uid, error)


def converse(session: Session, leg: Leg, kind: Kind, record: bool) -> bool:
    """Join the caller with `leg` and wait until one of them hangs up.

    False if they could not be joined, because the leg was gone. Raises CallerGone.
    """
    bridge_id = make_bridge(session)
    if not leg.joined and not _join_and_record(session, bridge_id, leg, kind, record):
        return False
    session.call.callee = leg.destination
    session.call.answered_at = session.call.answered_at or utc_now()
    session.call.disposition = "answered"
    session.save()
    _talk(session, bridge_id, leg, kind, record)
    return True


def _join_and_record(session: Session, bridge_id: str, leg: Leg, kind: Kind, record: bool) -> bool:
    """Join while the recording starts, so that it holds the first word.

    Asterisk ends the recording of an empty bridge only after four seconds.
    """
    if not record:
        return _join(session, bridge_id, leg)
    recording = session.new_recording(kind, "wav", leg.destination)
    starting = gevent.spawn(_start, session, bridge_id, recording)
    try:
        _join(session, bridge_id, leg)
    finally:
        starting.get()
        if not leg.joined:
            # They never heard each other: there is nothing that should have been recorded.
            session.discard_recording(recording)
    return leg.joined


def _join(session: Session, bridge_id: str, leg: Leg) -> bool:
    """Answer the caller and add both to the bridge; False if Asterisk refuses. Raises CallerGone.

    One command adds both, so that neither waits alone.
    """
    try:
        caller_audio.stop_and_answer(session)
        session.ari.add_channels(bridge_id, [session.caller_id, leg.channel_id])
    except AriError as error:
        session.wait_for_hangup(error, leg)
        log.info("call %s: %s could not be joined: %s", session.call.uid, leg.destination, error)
        session.hang_up(leg.channel_id)
        leg.refused = not leg.gone
        if leg.refused:
            session.call.problem = f"{leg.destination} could not be joined: {error}"
        return False
    leg.joined = True
    return True


def _start(session: Session, bridge_id: str, recording: LiveRecording) -> None:
    session.start_recording(
        recording, lambda name: session.ari.record_bridge(bridge_id, name, "wav")
    )


def _talk(session: Session, bridge_id: str, leg: Leg, kind: Kind, record: bool) -> None:
    """Wait until the leg is gone; if Asterisk ends the recording before, start the next segment."""
    if record and not session.recordings:
        # An adopted call whose first worker died before it had asked for the recording.
        _start(session, bridge_id, session.new_recording(kind, "wav", leg.destination))
    while not leg.gone:
        for recording in [r for r in session.recordings if r.finished]:
            _next_segment(session, bridge_id, leg, kind, recording)
        next(session.events(), None)


def _next_segment(
    session: Session, bridge_id: str, leg: Leg, kind: Kind, recording: LiveRecording
) -> None:
    paused = recording.facts.pauses[-1:] if recording.is_paused else ()
    facts = session.complete_recording(recording)
    if paused:
        # The pause goes on in the next segment: Asterisk is asked for it only at the resume.
        pauses = (replace(paused[0], began_at=utc_now(), at_ms=0),)
        held = session.new_recording(kind, "wav", leg.destination, pauses)
        session.add_recording(held)
        PauseControl(session, held).resume_in_time()
        session.write_journal()
    elif facts.state == "available":
        # After a failed one no other is started: the disk is full or gone.
        pause = SEGMENT_SECONDS - (facts.duration_ms or 0) / 1000
        if not session.wait_until(lambda: leg.gone, pause):
            _start(session, bridge_id, session.new_recording(kind, "wav", leg.destination))
