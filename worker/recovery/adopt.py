"""Goes on with calls that another process began, as the journal and Asterisk tell of them."""

from collections.abc import Collection, Container
from datetime import datetime
from typing import Any

from callytics.flows.document import check
from callytics.recordings.facts import Facts
from worker.calls.call_facts import CallFacts
from worker.calls.leg import CallerGone, Leg
from worker.calls.session import Services, Session
from worker.flow_runner import lead_inbound, walk
from worker.outbound import lead_outbound


def restore(
    services: Services,
    snapshot: dict[str, Any],
    channels: Container[str],
    in_bridge: Collection[str],
) -> Session:
    """A session as it was kept, brought to what Asterisk says now.

    `channels` are all there are, `in_bridge` those in the call's bridge: being there counts more
    than what the journal had time to say. Raises ValueError, KeyError for an unusable snapshot.
    """
    since = snapshot["waiting_since"]
    session = Session(
        services=services,
        caller_id=snapshot["caller_id"],
        call=CallFacts.from_snapshot(snapshot["call"]),
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
        recording = services.recorder.adopt(Facts.from_json(text), session.call.asterisk)
        session.recordings.append(recording)
        recording.pausing.watch(session)
    return session


def lead_on(session: Session) -> None:
    """Lead an adopted call on from where it is. Raises CallerGone."""
    for leg in [leg for leg in session.legs.values() if not leg.joined]:
        # It rang for a worker that died; the node rings it anew.
        session.let_go(leg.channel_id)
        del session.legs[leg.channel_id]
    if session.call.direction == "outbound":
        lead_outbound(session)
    elif session.call.flow:
        walk(session, session.document.flows[session.call.flow])
    else:
        lead_inbound(session)


def lead_gone(session: Session) -> None:
    """A call whose caller hung up while no worker listened: there is only to tidy up."""
    raise CallerGone
