"""After each connect: finds what went on, began or ended while nobody listened.

Asterisk replays no event. So its lists of channels and bridges are compared with the calls of
this process and with the journal of the one before.
"""

import logging
from typing import Any

from callytics import ledger, queues
from callytics.ari import AriError
from worker.adopt import lead_gone, lead_on, restore
from worker.routes import Routes
from worker.runner import Runner
from worker.session import Services, Session

log = logging.getLogger(__name__)

Things = dict[str, dict[str, Any]]


class Recovery:
    """Brings this worker's picture and Asterisk's to agree."""

    def __init__(self, runner: Runner, routes: Routes, services: Services, worker: str) -> None:
        self._runner, self._routes = runner, routes
        self._services, self._worker = services, worker

    def run(self) -> None:
        """Compare once, and put right what differs. Never raises: the next connect tries again."""
        try:
            self._recover()
        except (AriError, OSError) as error:
            log.warning("calls in progress could not be compared with Asterisk: %s", error)

    def _recover(self) -> None:
        ari = self._services.ari
        snapshots = self._services.journal.read()
        channels = {channel["id"]: channel for channel in ari.channels()}
        bridges = {bridge["id"]: bridge for bridge in ari.bridges()}
        for session in self._routes.sessions():
            catch_up(session, channels)
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
        in_bridge = bridges.get(snapshot["bridge_id"], {}).get("channels", [])
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
        if channel["dialplan"].get("app_name") == "Stasis" and app == self._services.ari.app:
            self._runner.begin(channel, args)

    def _remove_bridges(self, bridges: Things) -> None:
        """One at a time: Asterisk was seen to lock up over several deletions at once."""
        for bridge_id in bridges:
            if bridge_id.startswith("callytics-") and not self._routes.knows(bridge_id):
                self._services.ari.delete_bridge(bridge_id)

    def _close_rows(self) -> None:
        """Calls of this worker that nobody leads any more have ended, and hold no member."""
        live = [session.call.uid for session in self._routes.sessions()]
        self._services.outbox.put(ledger.close_calls, self._worker, live)
        self._services.outbox.put(queues.let_go_of_others, self._worker, live)


def catch_up(session: Session, channels: Things) -> None:
    """Tell a call of this process what happened to it while nobody listened."""
    for channel_id in (session.caller_id, *session.legs):
        if channel_id not in channels:
            session.inbox.put({"type": "ChannelDestroyed", "channel": {"id": channel_id}})
        elif channels[channel_id]["state"] == "Up":
            session.inbox.put({"type": "StasisStart", "channel": {"id": channel_id}})
    for recording in session.recordings:
        if session.ari.live_recording(recording.facts.name) is None:
            name = {"name": recording.facts.name}
            session.inbox.put({"type": "RecordingFinished", "recording": name})
    if session.playback_id and not session.ari.is_playing(session.playback_id):
        playback = {"id": session.playback_id, "state": "done"}
        session.inbox.put({"type": "PlaybackFinished", "playback": playback})
