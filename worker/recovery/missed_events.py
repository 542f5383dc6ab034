"""Missed events: what the calls of this process did not hear while the connection was lost."""

import logging

from gevent.pool import Pool

from callytics.ari.commands import Ari, AriError
from worker.asterisk.event_stream import Event
from worker.calls.session import Session
from worker.recording.live_recording import MISSED_END
from worker.recovery.adopt import Listed

log = logging.getLogger(__name__)

# Calls about which Asterisk is asked at the same time.
QUESTIONS = 10


def catch_up(ari: Ari, behind: set[Session]) -> None:
    """Tell calls of this process what they missed, and remove those that know all from `behind`.

    Raises AriError if Asterisk does not list its channels.
    """
    if not behind:
        return
    # Before the list, which lacks a channel that a call originates meanwhile.
    known = {session: originated_channels(session) for session in behind}
    channels = {channel["id"]: channel for channel in ari.channels()}
    bridges = {bridge["id"]: bridge for bridge in ari.bridges()}
    for session, channel_ids in known.items():
        for event in missed_replacement(session, session.bridge_id, channels, bridges) or ():
            session.inbox.put(event)
        send_missed_hangups(session, channel_ids, channels)
    answers = Pool(QUESTIONS).map(ask_missed_ends, known)
    behind -= {session for session, is_known in zip(known, answers, strict=True) if is_known}


def originated_channels(session: Session) -> list[str]:
    """Return the channels of a call that Asterisk lists, unless they are gone."""
    return [session.caller_id, *(name for name, leg in session.legs.items() if leg.placed)]


def missed_replacement(
    session: Session, bridge_id: str | None, channels: Listed, bridges: Listed
) -> tuple[Event, Event] | None:
    """Return the events of a party that transferred its side of a conversation: came and left.

    None unless another channel is in the place of the caller or the callee in the bridge.
    """
    joined = [name for name, leg in session.legs.items() if leg.joined]
    if not joined or bridge_id not in bridges:
        return None
    parties, in_bridge = [session.caller_id, *joined], bridges[bridge_id].get("channels", [])
    left = [name for name in parties if name not in in_bridge]
    came = [name for name in in_bridge if name in channels and name not in parties]
    if len(left) != 1 or len(came) != 1:
        return None
    old, new = {"id": left[0]}, {"id": came[0]}
    return (
        {"type": "StasisStart", "channel": new, "replace_channel": old},
        {"type": "ChannelLeftBridge", "channel": old},
    )


def send_missed_hangups(session: Session, channel_ids: list[str], channels: Listed) -> None:
    """Put the events of a call's channels into its inbox, by Asterisk's list of channels."""
    for channel_id in channel_ids:
        if channel_id not in channels:
            session.inbox.put({"type": "ChannelDestroyed", "channel": {"id": channel_id}})
        elif channels[channel_id]["state"] == "Up":
            session.inbox.put({"type": "StasisStart", "channel": {"id": channel_id}})


def ask_missed_ends(session: Session) -> bool:
    """Ask which recordings and prompts have ended; return False if Asterisk does not say it."""
    try:
        _ask_missed_ends(session)
    except AriError as error:
        log.warning("call %s: what it missed is not known yet: %s", session.call.uid, error)
        return False
    return True


def _ask_missed_ends(session: Session) -> None:
    # Asterisk may not know yet what it was only just asked for.
    for recording in [recording for recording in session.recordings if recording.asked]:
        if session.ari.live_recording(recording.facts.name) is None:
            name = {"name": recording.facts.name}
            session.inbox.put({**MISSED_END, "recording": name})
    if session.playback_id and not session.ari.is_playing(session.playback_id):
        playback = {"id": session.playback_id, "state": "done"}
        session.inbox.put({"type": "PlaybackFinished", "playback": playback})
