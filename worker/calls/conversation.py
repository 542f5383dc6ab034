"""Two people talk: joined in a bridge, recorded when that is wished, until one hangs up."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace

import gevent

from callytics.ari.commands import AriError
from callytics.clock import utc_now
from callytics.recordings.facts import Kind
from callytics.recordings.pauses import PausedSpan
from worker.calls import caller_audio
from worker.calls.dialing import most_hopeful, ring_until_answer
from worker.calls.leg import Leg
from worker.calls.session import Session
from worker.recording.live_recording import LiveRecording

log = logging.getLogger(__name__)


def connect(
    session: Session,
    rounds: Iterable[Sequence[str]],
    ring_seconds: int,
    kind: Kind,
    record: bool,
) -> str:
    """Ring round after round of destinations and join the caller with who answers.

    `answered` after a conversation, or of all results the most hopeful. Raises CallerGone.
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
    return most_hopeful(results)


def bridge_name(call_uid: str) -> str:
    """The same in every process, so that a call's bridge is found again."""
    return f"callytics-{call_uid}"


def make_bridge(session: Session) -> str:
    """The call's bridge, made while the destination still rings, so that nobody waits for it."""
    if session.bridge_id is None:
        bridge_id = bridge_name(session.call.uid)
        session.services.watch(bridge_id, session)
        # Before the command, whose answer may be lost: a bridge that is there must be removed.
        session.bridge_id = bridge_id
        session.ari.create_bridge(bridge_id, session.call.uid)
        _hear(session, bridge_id)
    return session.bridge_id


def _hear(session: Session, bridge_id: str) -> None:
    """Else the start of a recording is not told that comes before the first party's entry."""
    try:
        session.ari.hear_bridge(bridge_id)
    except AriError as error:
        log.info("call %s: its bridge is heard only while it is used: %s", session.call.uid, error)


def converse(session: Session, leg: Leg, kind: Kind, record: bool) -> bool:
    """Join the caller with `leg` and stay until one of them hangs up.

    False when they could not be joined, since the leg was gone by then. Raises CallerGone.
    """
    bridge_id = make_bridge(session)
    if not leg.joined and not _begin(session, bridge_id, leg, kind, record):
        return False
    session.call.callee = leg.destination
    session.call.answered_at = session.call.answered_at or utc_now()
    session.call.disposition = "answered"
    session.save()
    _stay(session, bridge_id, leg, kind, record)
    return True


def _begin(session: Session, bridge_id: str, leg: Leg, kind: Kind, record: bool) -> bool:
    """Join, and let the recording start meanwhile: so it holds the first word.

    Asterisk ends the recording of a bridge in which nobody is only after four seconds.
    """
    if not record:
        return _join(session, bridge_id, leg)
    recording = _intend(session, leg, kind)
    starting = gevent.spawn(_start, session, bridge_id, recording)
    try:
        _join(session, bridge_id, leg)
    finally:
        starting.get()
        if not leg.joined:
            # They never heard each other: there is nothing that should have been recorded.
            session.discard(recording)
    return leg.joined


def _intend(session: Session, leg: Leg, kind: Kind, *pauses: PausedSpan) -> LiveRecording:
    facts = session.call.new_recording(kind, "wav", leg.destination)
    return session.services.recorder.begin(facts.but(pauses=pauses))


def _join(session: Session, bridge_id: str, leg: Leg) -> bool:
    """Answer, and let both in at once. A leg that cannot be joined is let go. Raises CallerGone."""
    try:
        caller_audio.quiet(session)
        session.ari.add_channels(bridge_id, [session.caller_id, leg.channel_id])
    except AriError as error:
        session.hear_who_left(error, leg)
        log.info("call %s: %s could not be joined: %s", session.call.uid, leg.destination, error)
        session.let_go(leg.channel_id)
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


def _stay(session: Session, bridge_id: str, leg: Leg, kind: Kind, record: bool) -> None:
    """Wait for the end; where Asterisk ended the recording before, open the next segment."""
    if record and not session.recordings:
        # An adopted call whose first worker died before it had asked for the recording.
        _start(session, bridge_id, _intend(session, leg, kind))
    while not leg.gone:
        for recording in [r for r in session.recordings if r.finished]:
            paused = recording.facts.pauses[-1:] if recording.pausing.is_on else ()
            facts = session.complete(recording)
            following = [replace(span, began_at=utc_now(), at_ms=0) for span in paused]
            if following:
                # What was not to be recorded is not to be recorded in the next segment either.
                session.hold_recording(_intend(session, leg, kind, *following))
            elif facts.state == "available":
                # One that brought no sound would bring none again: the disk is full or gone.
                _start(session, bridge_id, _intend(session, leg, kind))
        next(session.events(), None)
