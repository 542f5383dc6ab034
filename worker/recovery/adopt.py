"""Adoption: continues calls that another process began, from the journal and Asterisk's lists."""

import logging
from collections.abc import Sequence
from contextlib import suppress

import gevent
from sqlalchemy.exc import SQLAlchemyError

from callytics.ari.commands import AriError
from callytics.calls import library
from callytics.calls.library import CallRow
from callytics.flows.document import check
from callytics.flows.errors import DocumentError
from callytics.json_values import Json, JsonObject
from callytics.queues import membership
from callytics.recordings.facts import Facts
from callytics.recordings.library import open_recordings
from worker.calls.bridge_ids import find_bridge
from worker.calls.call_facts import CallFacts, time_from_json
from worker.calls.conversation import converse
from worker.calls.event_handlers import apply_event
from worker.calls.leg import CallerGone, Leg
from worker.calls.pause_control import PauseControl
from worker.calls.session import Services, Session
from worker.flow_runner import lead_inbound, walk
from worker.outbound import run_outbound
from worker.persistence.journal import Snapshot
from worker.recording.live_recording import LiveRecording

log = logging.getLogger(__name__)

# Channels or bridges as Asterisk lists them, by id.
Listed = dict[str, JsonObject]

# Errors of a snapshot that this version did not write.
UNUSABLE = (
    *(ValueError, LookupError, TypeError, AttributeError),
    *(ArithmeticError, RecursionError, DocumentError),
)
# Asterisk is asked again after this time if it refuses to say how a recording is.
RETRY_SECONDS = 2.0
# The longest wait for the ledger, while nobody is led.
LEDGER_SECONDS = 2.0


def restore_session(services: Services, snapshot: Snapshot) -> Session:
    """Return the session of a snapshot, as it was when the snapshot was written.

    Asks nothing of Asterisk, so that the session hears all events from the first question on.
    Raises UNUSABLE.
    """
    bridge_id = snapshot["bridge_id"]
    session = Session(
        services=services,
        caller_id=_text(snapshot["caller_id"]),
        call=CallFacts.from_snapshot(snapshot["call"]),
        on_event=apply_event,
        caller_up=bool(snapshot["caller_up"]),
        bridge_id=None if bridge_id is None else _text(bridge_id),
        document=check(snapshot["document"]),
        waiting_since=time_from_json(snapshot["waiting_since"]),
    )
    for values in snapshot["legs"]:
        leg = Leg(**values)
        leg.destination = _text(leg.destination)
        session.legs[_text(leg.channel_id)] = leg
    for text in snapshot["recordings"]:
        session.recordings.append(_begun(session, Facts.from_json(text)))
    return session


def correct_by_lists(session: Session, channels: Listed, bridges: Listed) -> None:
    """Correct a session by Asterisk's lists, since its journal may be some steps behind."""
    session.bridge_id = find_bridge(session.call.uid, bridges)
    in_bridge = bridges[session.bridge_id].get("channels", []) if session.bridge_id else []
    for channel_id, leg in session.legs.items():
        leg.placed, leg.joined = True, channel_id in in_bridge
        leg.gone = channel_id not in channels


def continue_call(session: Session) -> None:
    """Run an adopted call on from the node where it is. Raises CallerGone."""
    try:
        _continue(session)
    finally:
        _free_members(session)


def _continue(session: Session) -> None:
    _add_from_ledger(session)
    _take_over_recordings(session)
    log.info("call %s is adopted", session.call.uid)
    for ringing in [leg for leg in session.legs.values() if not leg.joined]:
        # It rang for a worker that died; the node rings its destination again.
        session.hang_up(ringing.channel_id)
        del session.legs[ringing.channel_id]
    flow, leg = session.document.flows.get(session.call.flow), session.joined_leg()
    if leg is None and session.call.disposition == "answered":
        # The callee hung up while nobody led the call: the conversation is over, as any other.
        session.finish("answered")
    elif session.call.direction == "outbound":
        run_outbound(session)
    elif flow is not None and session.call.open_node in (None, *flow.nodes):
        walk(session, flow)
    elif leg is not None:
        # The flow is not known any more, but they talk.
        converse(session, leg, "transfer", record=False)
        session.finish("answered")
    else:
        session.call.leave("unreachable")
        lead_inbound(session)


def end_abandoned_call(session: Session) -> None:
    """End a call whose caller hung up while no worker was connected, by raising CallerGone."""
    log.info("call %s ended meanwhile", session.call.uid)
    for recording in session.recordings:
        # Else it is asked for when the recording is stopped.
        with suppress(AriError):
            recording.take_over()
    _free_members(session)
    raise CallerGone


def _free_members(session: Session) -> None:
    """Free the queue members that the process before has claimed for a call."""
    session.services.outbox.put(membership.let_go_of_call, session.call.uid)


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise TypeError("a name must be a text")
    return value


def _begun(session: Session, facts: Facts) -> LiveRecording:
    # A predecessor of another name may have begun it.
    own = facts.but(pbx=session.call.pbx)
    return LiveRecording.begun(session.services.recorder, own, session.call.asterisk)


def _add_from_ledger(session: Session) -> None:
    """Add what the journal does not know yet, as it may be some steps behind the ledger.

    Recordings that Asterisk does not make any more are completed as all that no call leads.
    """
    call, known = session.call, {recording.facts.uid for recording in session.recordings}
    try:
        row, found = session.services.outbox.call_within(LEDGER_SECONDS, _read_ledger, call.uid)
    except (gevent.Timeout, SQLAlchemyError):
        return
    if row is not None and row.answered_at and call.answered_at is None:
        call.answered_at, call.callee = row.answered_at, row.callee
        call.disposition = row.disposition
    for facts in found:
        if facts.uid not in known and session.services.recorder.is_live(facts):
            session.add_recording(_begun(session, facts))


def _read_ledger(call_uid: str) -> tuple[CallRow | None, Sequence[Facts]]:
    return library.call(call_uid), open_recordings(call_uid)


def _take_over_recordings(session: Session) -> None:
    """Ask for the state of each recording until Asterisk says it. Raises CallerGone."""
    for recording in session.recordings:
        while not recording.finished:
            try:
                recording.take_over()
                break
            except AriError as error:
                log.warning("recording %s is not adopted yet: %s", recording.facts.uid, error)
                session.wait(RETRY_SECONDS)
        PauseControl(session, recording).resume_in_time()
