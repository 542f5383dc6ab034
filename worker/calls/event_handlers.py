"""Event handlers: update a call session by the events of its channels, bridge and recordings."""

from collections.abc import Callable, Mapping

from worker.asterisk.event_stream import Event
from worker.calls.leg import CallerGone
from worker.calls.pause_control import PauseControl
from worker.calls.session import Session


def apply_event(session: Session, event: Event) -> None:
    """Update the session by an event; those without a handler concern only a waiting node.

    Raises CallerGone, and KeyError, TypeError or AttributeError for a malformed event.
    """
    handler = HANDLERS.get(event["type"])
    if handler is not None:
        handler(session, event)


def _on_recording(session: Session, event: Event) -> None:
    for recording in session.recordings:
        if recording.facts.name == event["recording"]["name"]:
            recording.apply_event(event)


def _on_user_event(session: Session, event: Event) -> None:
    """A page asks to pause or resume a recording."""
    request = event["userevent"]
    for recording in session.recordings:
        if recording.facts.name == request["recording"]:
            PauseControl(session, recording).request(request)


def _on_stasis_start(session: Session, event: Event) -> None:
    channel_id = event["channel"]["id"]
    if "replace_channel" in event:
        _replace_channel(session, event["replace_channel"]["id"], channel_id)
    elif channel_id in session.legs:
        session.legs[channel_id].up = True


def _replace_channel(session: Session, old: str, new: str) -> None:
    """Put a new channel in the place of a phone that transferred its side of the call.

    Asterisk 22 does it in this order, for a blind and an attended transfer alike: StasisStart
    of a Local channel (no arguments, `replace_channel`), ChannelLeftBridge of the phone,
    ChannelEnteredBridge of the Local channel, Bridge…Transfer. The bridge and its recording
    stay. The StasisEnd of the phone comes last: its BYE waits for the end of the transfer.
    """
    session.services.register(new, session)
    session.transferred.add(old)
    if old == session.caller_id:
        session.caller_id = new
    elif old in session.legs:
        leg = session.legs.pop(old)
        leg.channel_id = new
        session.legs[new] = leg
        session.on_transfer(leg)
    session.save()


def _on_left_bridge(session: Session, event: Event) -> None:
    """Hang up a phone that transferred its side of the call.

    Asterisk keeps it in Stasis, in silence and busy, until it hangs up by itself. Before it has
    left the bridge a hang-up would keep the new channel from taking its place.
    """
    channel_id = event["channel"]["id"]
    if channel_id in session.transferred:
        session.transferred.discard(channel_id)
        session.hang_up(channel_id)


def _on_hangup_request(session: Session, event: Event) -> None:
    """The cause of the first party that hung up is the call's; those that we hang up have none."""
    # The cause of a hang-up that is asked for from within ("soft") is a flag of Asterisk's own.
    cause = None if event.get("soft") else event.get("cause")
    channel_id = event["channel"]["id"]
    leg = session.legs.get(channel_id)
    if leg is not None and cause:
        leg.cause = cause
    # Legs that rang in vain are removed before the event comes that they were hung up.
    in_talk = leg.up if leg is not None else channel_id == session.caller_id
    if cause and in_talk and session.call.hangup_cause is None and not session.ending:
        session.call.hangup_cause = cause


def _on_channel_end(session: Session, event: Event) -> None:
    _on_hangup_request(session, event)
    channel_id = event["channel"]["id"]
    leg = session.legs.get(channel_id)
    if leg is not None:
        leg.gone = True
    elif channel_id == session.caller_id and not session.ending:
        session.ending = True
        raise CallerGone


HANDLERS: Mapping[str, Callable[[Session, Event], None]] = {
    "ChannelDestroyed": _on_channel_end,
    "ChannelHangupRequest": _on_hangup_request,
    "ChannelLeftBridge": _on_left_bridge,
    "ChannelUserevent": _on_user_event,
    "RecordingFailed": _on_recording,
    "RecordingFinished": _on_recording,
    "RecordingStarted": _on_recording,
    "StasisEnd": _on_channel_end,
    "StasisStart": _on_stasis_start,
}
