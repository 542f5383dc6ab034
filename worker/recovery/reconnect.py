"""After each connect: finds what went on, began or ended while nobody listened.

Asterisk replays no event. So its lists of channels and bridges are compared with the calls of
this process and with the journal of the one before.
"""

import logging
from typing import Any

from gevent.lock import Semaphore

from callytics.ari.commands import AriError
from callytics.calls.ledger import close_calls
from callytics.queues import queues
from worker.calls.conversation import bridge_name
from worker.calls.registry import Routes
from worker.calls.session import Services, Session
from worker.dispatcher import Runner
from worker.recording.live_recording import MISSED_END
from worker.recovery.adopt import lead_gone, lead_on, restore

log = logging.getLogger(__name__)

Things = dict[str, dict[str, Any]]


class Recovery:
    """Brings this worker's picture and Asterisk's to agree."""

    def __init__(self, runner: Runner, routes: Routes, services: Services, worker: str) -> None:
        self._runner, self._routes = runner, routes
        self._services, self._worker = services, worker
        self._one_at_a_time = Semaphore()

    def run(self) -> None:
        """Compare once, and put right what differs. Never raises: the next connect tries again."""
        # A connection that is lost meanwhile brings a second run, and a call has one session.
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
        # Before the lists: a channel that a call begins to ring meanwhile is not in them.
        known = {session: known_to_asterisk(session) for session in self._routes.sessions()}
        channels = {channel["id"]: channel for channel in ari.channels()}
        bridges = {bridge["id"]: bridge for bridge in ari.bridges()}
        for session, names in known.items():
            catch_up(session, names, channels)
        for snapshot in snapshots:
            self._adopt(snapshot, channels, bridges)
        for channel in channels.values():
            self._take_up(channel)
        self._remove_bridges(bridges)
        self._close_rows()

    def _adopt(self, snapshot: dict[str, Any], channels: Things, bridges: Things) -> None:
        uid = snapshot["call"]["uid"]
        if uid in {session.call.uid for session in self._routes.sessions()}:
            return
        # Asterisk knows better than a journal that may be some steps behind.
        bridge_id = bridge_name(uid)
        snapshot["bridge_id"] = bridge_id if bridge_id in bridges else None
        in_bridge = bridges.get(bridge_id, {}).get("channels", [])
        try:
            session = restore(self._services, snapshot, channels, in_bridge)
        except (KeyError, TypeError, ValueError):
            log.exception("call %s cannot be adopted", uid)
            return
        there = session.caller_id in channels
        log.info("call %s is adopted" if there else "call %s ended meanwhile", uid)
        self._runner.start(session, lead_on if there else lead_gone)

    def _take_up(self, channel: dict[str, Any]) -> None:
        """A channel that waits in our application and belongs to no call."""
        app, *args = channel["dialplan"].get("app_data", "").split(",")
        waits = channel["dialplan"].get("app_name") == "Stasis" and app == self._services.ari.app
        if waits and not self._routes.knows(channel["id"]) and self._is_there(channel["id"]):
            self._runner.begin(channel, args)

    def _is_there(self, channel_id: str) -> bool:
        """Whether it still is: its call may have ended since it was listed."""
        try:
            return bool(self._services.ari.channel(channel_id))
        except AriError as error:
            if error.gone:
                return False
            raise

    def _remove_bridges(self, bridges: Things) -> None:
        """One at a time: Asterisk was seen to lock up over several deletions at once."""
        for bridge_id in bridges:
            if bridge_id.startswith("callytics-") and not self._routes.knows(bridge_id):
                try:
                    self._services.ari.delete_bridge(bridge_id)
                except AriError as error:
                    # That its call removed it meanwhile is well, and no other bridge is at fault.
                    log.info("a bridge that was left over: %s", error)

    def _close_rows(self) -> None:
        """Calls of this worker that nobody leads any more have ended, and hold no member."""
        live = [session.call.uid for session in self._routes.sessions()]
        self._services.outbox.put(close_calls, self._worker, live)
        self._services.outbox.put(queues.let_go_of_others, self._worker, live)


def known_to_asterisk(session: Session) -> list[str]:
    """The channels of a call that Asterisk lists, unless they have gone."""
    return [session.caller_id, *(name for name, leg in session.legs.items() if leg.placed)]


def catch_up(session: Session, known: list[str], channels: Things) -> None:
    """Tell a call of this process what happened to it while nobody listened."""
    for channel_id in known:
        if channel_id not in channels:
            session.inbox.put({"type": "ChannelDestroyed", "channel": {"id": channel_id}})
        elif channels[channel_id]["state"] == "Up":
            session.inbox.put({"type": "StasisStart", "channel": {"id": channel_id}})
    # What was only just asked for may be unknown to Asterisk as yet.
    for recording in [recording for recording in session.recordings if recording.asked]:
        if session.ari.live_recording(recording.facts.name) is None:
            name = {"name": recording.facts.name}
            session.inbox.put({**MISSED_END, "recording": name})
    if session.playback_id and not session.ari.is_playing(session.playback_id):
        playback = {"id": session.playback_id, "state": "done"}
        session.inbox.put({"type": "PlaybackFinished", "playback": playback})
