"""Recovery after each connect: handles what happened while no events were received.

Asterisk replays no event. So its lists of channels and bridges are compared with the calls of this
process and with the journal of the process before it.
"""

import logging

from gevent.lock import Semaphore

from callytics.ari.commands import AriError
from callytics.calls.ledger import close_calls
from callytics.json_values import JsonObject
from callytics.queues import membership
from worker.calls.bridge_ids import call_of_bridge, find_bridge
from worker.calls.registry import CallRegistry
from worker.calls.session import Services, Session
from worker.dispatcher import Dispatcher
from worker.persistence.journal import Snapshot
from worker.recording.live_recording import MISSED_END
from worker.recovery.adopt import continue_call, end_abandoned_call, restore_session

log = logging.getLogger(__name__)

# Channels or bridges as Asterisk lists them, by id.
Listed = dict[str, JsonObject]


class Recovery:
    """Comparison of this worker's calls with Asterisk's channels and bridges."""

    def __init__(
        self,
        dispatcher: Dispatcher,
        registry: CallRegistry,
        services: Services,
        pbx: str,
    ) -> None:
        self._dispatcher, self._registry = dispatcher, registry
        self._services, self._pbx = services, pbx
        self._one_at_a_time = Semaphore()

    def run(self) -> None:
        """Compare once and act on the differences. Never raises: the next connect tries again."""
        # A connection lost meanwhile causes a second run, and a call must not get two sessions.
        with self._one_at_a_time:
            try:
                self._recover()
            except (AriError, OSError) as error:
                log.warning("calls in progress could not be compared with Asterisk: %s", error)
            except Exception:
                log.exception("calls in progress could not be compared with Asterisk")

    def _recover(self) -> None:
        ari = self._services.ari
        snapshots = self._services.journal.read()
        # Before the lists, which lack a channel that a call originates meanwhile.
        known = {session: originated_channels(session) for session in self._registry.sessions()}
        channels = {channel["id"]: channel for channel in ari.channels()}
        bridges = {bridge["id"]: bridge for bridge in ari.bridges()}
        for session, channel_ids in known.items():
            send_missed_events(session, channel_ids, channels)
        for snapshot in snapshots:
            self._adopt(snapshot, channels, bridges)
        for channel in channels.values():
            self._start_if_unowned(channel)
        self._remove_bridges(bridges)
        self._close_rows()

    def _adopt(self, snapshot: Snapshot, channels: Listed, bridges: Listed) -> None:
        uid = snapshot["call"]["uid"]
        if uid in {session.call.uid for session in self._registry.sessions()}:
            return
        # Asterisk's list overrules a journal that may be some steps behind.
        snapshot["bridge_id"] = bridge_id = find_bridge(uid, bridges)
        in_bridge = bridges[bridge_id].get("channels", []) if bridge_id else []
        try:
            session = restore_session(self._services, snapshot, channels, in_bridge)
        except (KeyError, TypeError, ValueError):
            log.exception("call %s cannot be adopted", uid)
            return
        is_there = session.caller_id in channels
        log.info("call %s is adopted" if is_there else "call %s ended meanwhile", uid)
        self._dispatcher.start_session(session, continue_call if is_there else end_abandoned_call)

    def _start_if_unowned(self, channel: JsonObject) -> None:
        """Start a call with a channel that waits in this application and belongs to no call."""
        app, *args = channel["dialplan"].get("app_data", "").split(",")
        in_stasis = channel["dialplan"].get("app_name") == "Stasis"
        waits = in_stasis and app == self._services.ari.app
        if waits and channel["id"] not in self._registry and self._is_there(channel["id"]):
            self._dispatcher.start_call(channel, args)

    def _is_there(self, channel_id: str) -> bool:
        """Return False if the channel's call has ended since it was listed."""
        try:
            return bool(self._services.ari.channel(channel_id))
        except AriError as error:
            if error.gone:
                return False
            raise

    def _remove_bridges(self, bridges: Listed) -> None:
        """Remove own bridges of ended calls, one by one: several at once can lock up Asterisk."""
        for bridge_id in bridges:
            if call_of_bridge(self._pbx, bridge_id) and bridge_id not in self._registry:
                try:
                    self._services.ari.delete_bridge(bridge_id)
                except AriError as error:
                    # Its call may have removed it meanwhile; the other bridges are still removed.
                    log.info("a bridge that was left over: %s", error)

    def _close_rows(self) -> None:
        """Close the rows of this PBX's calls that have ended, and free their queue members."""
        live = [session.call.uid for session in self._registry.sessions()]
        self._services.outbox.put(close_calls, self._pbx, live)
        self._services.outbox.put(membership.let_go_of_others, self._pbx, live)


def originated_channels(session: Session) -> list[str]:
    """Return the channels of a call that Asterisk lists, unless they are gone."""
    return [session.caller_id, *(name for name, leg in session.legs.items() if leg.placed)]


def send_missed_events(session: Session, channel_ids: list[str], channels: Listed) -> None:
    """Put the events into a session's inbox that it missed. Raises AriError."""
    for channel_id in channel_ids:
        if channel_id not in channels:
            session.inbox.put({"type": "ChannelDestroyed", "channel": {"id": channel_id}})
        elif channels[channel_id]["state"] == "Up":
            session.inbox.put({"type": "StasisStart", "channel": {"id": channel_id}})
    # Asterisk may not know yet what it was only just asked for.
    for recording in [recording for recording in session.recordings if recording.asked]:
        if session.ari.live_recording(recording.facts.name) is None:
            name = {"name": recording.facts.name}
            session.inbox.put({**MISSED_END, "recording": name})
    if session.playback_id and not session.ari.is_playing(session.playback_id):
        playback = {"id": session.playback_id, "state": "done"}
        session.inbox.put({"type": "PlaybackFinished", "playback": playback})
