"""Adoption: continues calls that another process began, from the journal and Asterisk's lists."""

from collections.abc import Collection, Container
from datetime import datetime

from callytics.flows.document import check
from callytics.recordings.facts import Facts
from worker.calls.call_facts import CallFacts
from worker.calls.event_handlers import apply_event
from worker.calls.leg import CallerGone, Leg
from worker.calls.pause_control import PauseControl
from worker.calls.session import Services, Session
from worker.flow_runner import lead_inbound, walk
from worker.outbound import run_outbound
from worker.persistence.journal import Snapshot
from worker.recording.live_recording import LiveRecording


def restore_session(
    services: Services,
    snapshot: Snapshot,
    channels: Container[str],
    in_bridge: Collection[str],
) -> Session:
    """Return the session of a snapshot, corrected by Asterisk's lists.

    `channels` are all that Asterisk has, `in_bridge` those in the call's bridge: they overrule the
    journal, which may be some steps behind. Raises ValueError, KeyError, TypeError for an unusable
    snapshot, and AriError.
    """
    since = snapshot["waiting_since"]
    session = Session(
        services=services,
        caller_id=snapshot["caller_id"],
        call=CallFacts.from_snapshot(snapshot["call"]),
        on_event=apply_event,
        caller_up=snapshot["caller_up"],
        bridge_id=snapshot["bridge_id"],
        document=check(snapshot["document"]),
        waiting_since=datetime.fromisoformat(since) if since else None,
    )
    for values in snapshot["legs"]:
        channel_id = values["channel_id"]
        joined, gone = channel_id in in_bridge, channel_id not in channels
        now = {"placed": True, "joined": joined, "gone": gone}
        session.legs[channel_id] = Leg(**{**values, **now})
    for text in snapshot["recordings"]:
        facts, asterisk = Facts.from_json(text), session.call.asterisk
        # A predecessor of another name began it.
        facts = facts.but(pbx=session.call.pbx)
        recording = LiveRecording.adopt(services.recorder, facts, asterisk)
        session.recordings.append(recording)
        PauseControl(session, recording).resume_in_time()
    return session


def continue_call(session: Session) -> None:
    """Run an adopted call on from the node where it is. Raises CallerGone."""
    for leg in [leg for leg in session.legs.values() if not leg.joined]:
        # It rang for a worker that died; the node rings its destination again.
        session.hang_up(leg.channel_id)
        del session.legs[leg.channel_id]
    if session.call.direction == "outbound":
        run_outbound(session)
    elif session.call.flow:
        walk(session, session.document.flows[session.call.flow])
    else:
        lead_inbound(session)


def end_abandoned_call(session: Session) -> None:
    """End a call whose caller hung up while no worker was connected, by raising CallerGone."""
    raise CallerGone
