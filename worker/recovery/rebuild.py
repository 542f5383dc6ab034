"""Rebuilding: the state of a call without a usable journal, from Asterisk and the ledger.

The disk was full when the call began, or its file is not readable. The id of its bridge says which
call it is, the name of the bridge which channel is its caller's, and the arguments with which a
channel entered Stasis that it was dialed for the call.
"""

import re
from dataclasses import fields
from datetime import datetime

from callytics.calls.library import CallRow
from callytics.json_values import JsonObject
from worker.calls.bridge_ids import find_bridge
from worker.calls.call_facts import CallFacts
from worker.calls.dialing import is_leg_of
from worker.calls.leg import Leg
from worker.calls.session import Session
from worker.recovery.adopt import Listed


def stasis_arguments(app: str, channel: JsonObject) -> list[str] | None:
    """Return the arguments with which a channel entered `app`, or None if it is not in it."""
    its_app, *args = channel["dialplan"].get("app_data", "").split(",")
    in_stasis = channel["dialplan"].get("app_name") == "Stasis"
    return args if in_stasis and its_app == app else None


def caller_of(call_uid: str, channels: Listed, bridges: Listed) -> str | None:
    """Return the channel of the caller of a call, or None without a bridge that tells it."""
    bridge_id = find_bridge(call_uid, bridges)
    if bridge_id is None:
        return None
    bridge = bridges[bridge_id]
    if bridge.get("name") in channels:
        return str(bridge["name"])
    # The caller transferred this side of the call, and another channel is in its place.
    in_bridge = [name for name in bridge.get("channels", []) if name in channels]
    return next((name for name in in_bridge if not _is_dialed(channels[name])), None)


def fill_session(
    session: Session, call_uid: str, row: CallRow | None, channels: Listed, bridges: Listed
) -> None:
    """Fill the session of a caller with all that is known of the call. Raises UNUSABLE."""
    if row is not None:
        session.call = _facts_of_row(row, session.call)
    else:
        since = datetime.fromisoformat(channels[session.caller_id]["creationtime"])
        session.call.uid, session.call.started_at = call_uid, since
    if session.call.path and session.call.path[-1]["type"] == "queue":
        session.waiting_since = datetime.fromisoformat(session.call.path[-1]["started_at"])
    session.bridge_id = find_bridge(call_uid, bridges)
    session.document = session.services.rules.document()
    in_bridge = bridges[session.bridge_id].get("channels", []) if session.bridge_id else []
    for channel_id, channel in channels.items():
        is_joined = channel_id in in_bridge and channel_id != session.caller_id
        if is_joined or is_leg_of(call_uid, channel_id):
            dialed = destination_of(channel["name"])
            destination = (session.call.callee or dialed) if is_joined else dialed
            up = channel["state"] == "Up"
            session.legs[channel_id] = Leg(channel_id, destination, placed=True, up=up)


def destination_of(channel_name: str) -> str:
    """Return the destination that was dialed, from the name that Asterisk gave its channel."""
    return re.sub(r"-[0-9a-f]{8}(;[12])?$", "", channel_name)


def _is_dialed(channel: JsonObject) -> bool:
    _, *args = str(channel["dialplan"].get("app_data", "")).split(",")
    return args[:1] == ["dialed"]


def _facts_of_row(row: CallRow, here: CallFacts) -> CallFacts:
    """Return the facts of a call's row; the call goes on, whatever the row says."""
    values = {field.name: getattr(row, field.name) for field in fields(CallFacts)}
    return CallFacts(**{**values, "pbx": here.pbx, "asterisk": here.asterisk, "ended_at": None})
