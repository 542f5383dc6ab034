"""What a call learns from its events: who is there, who has gone, which recording has ended."""

from typing import TYPE_CHECKING

from worker.asterisk.event_stream import Event
from worker.calls.leg import CallerGone

if TYPE_CHECKING:
    from worker.calls.session import Session


def take_note(session: "Session", event: Event) -> None:
    """Keep the state true: who is there, who has gone, which recording has ended."""
    kind = event["type"]
    if kind.startswith("Recording"):
        for recording in session.recordings:
            if recording.facts.name == event["recording"]["name"]:
                recording.hear(event)
    elif kind == "ChannelUserevent":
        wish = event["userevent"]
        for recording in session.recordings:
            if recording.facts.name == wish["recording"]:
                recording.pausing.obey(wish, session)
    elif kind == "StasisStart" and "replace_channel" in event:
        _replace(session, event["replace_channel"]["id"], event["channel"]["id"])
    elif kind == "ChannelLeftBridge":
        _let_go_if_transferred(session, event["channel"]["id"])
    elif kind == "ChannelHangupRequest":
        _note_cause(session, event)
    elif kind in ("StasisEnd", "ChannelDestroyed"):
        _note_cause(session, event)
        _channel_left(session, event)
    elif event.get("channel", {}).get("id") in session.legs:
        _leg_came(session, event)


def _replace(session: "Session", old: str, new: str) -> None:
    """A phone transferred its side of the call: the new channel stands where the old did.

    Asterisk 22 does it in this order, for a blind and an attended transfer alike: StasisStart
    of a Local channel (no arguments, `replace_channel`), ChannelLeftBridge of the phone,
    ChannelEnteredBridge of the Local channel, Bridge…Transfer. The bridge and its recording
    stay. The StasisEnd of the phone comes last: its BYE waits for the end of the transfer.
    """
    session.services.watch(new, session)
    session.transferred.add(old)
    if old == session.caller_id:
        session.caller_id = new
    elif old in session.legs:
        leg = session.legs.pop(old)
        leg.channel_id = new
        session.legs[new] = leg
        session.on_transfer(leg)
    session.save()


def _let_go_if_transferred(session: "Session", channel_id: str) -> None:
    """Asterisk keeps the phone in Stasis, in silence and busy, until it hangs up by itself.

    Not before it has left the bridge: the new channel could not take its place any more.
    """
    if channel_id in session.transferred:
        session.transferred.discard(channel_id)
        session.let_go(channel_id)


def _leg_came(session: "Session", event: Event) -> None:
    if event["type"] == "StasisStart":
        session.legs[event["channel"]["id"]].up = True


def _note_cause(session: "Session", event: Event) -> None:
    """Who hung up first, and why, is the call's cause; what we do to the others is not."""
    # The cause of a hang-up that is asked for from within ("soft") is a flag of Asterisk's own.
    cause = None if event.get("soft") else event.get("cause")
    leg = session.legs.get(event["channel"]["id"])
    if leg is not None and cause:
        leg.cause = cause
    # Those who were rung in vain are no legs any more when they tell that they were let go.
    in_talk = leg.up if leg is not None else event["channel"]["id"] == session.caller_id
    if cause and in_talk and session.call.hangup_cause is None and not session.ending:
        session.call.hangup_cause = cause


def _channel_left(session: "Session", event: Event) -> None:
    leg = session.legs.get(event["channel"]["id"])
    if leg is not None:
        leg.gone = True
    elif event["channel"]["id"] == session.caller_id and not session.ending:
        session.ending = True
        raise CallerGone
