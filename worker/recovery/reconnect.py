"""Recovery after each connect: handles what happened while no events were received.

Asterisk replays no event. So its lists of channels and bridges are compared with the calls of this
process and with the journal of the process before it. A call is watched before anything is asked
about it, and what happens meanwhile waits in its inbox until it is led.
"""

import logging
from itertools import chain, repeat

import gevent
from gevent.lock import Semaphore
from sqlalchemy.exc import SQLAlchemyError

from callytics.ari.commands import AriError
from callytics.calls import library
from callytics.calls.ledger import close_calls
from callytics.calls.library import CallRow
from callytics.json_values import JsonObject
from callytics.queues import membership
from worker.calls.bridge_ids import call_of_bridge, find_bridge
from worker.calls.registry import CallRegistry
from worker.calls.session import Services, Session
from worker.dispatcher import Dispatcher
from worker.persistence.journal import Entry
from worker.recovery import rebuild
from worker.recovery.adopt import (
    LEDGER_SECONDS,
    UNUSABLE,
    Listed,
    continue_call,
    correct_by_lists,
    end_abandoned_call,
    restore_session,
)
from worker.recovery.missed_events import catch_up, missed_replacement
from worker.support.throttled_log import ThrottledLog

log = logging.getLogger(__name__)

# Pauses between two comparisons, until one is complete.
PAUSES = (1.0, 2.0, 4.0, 8.0)


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
        self._connects = 0
        # Calls of the process before, by uid: watched, but not led yet.
        self._adopting: dict[str, Session] = {}
        self._log = ThrottledLog(log)

    def run(self) -> None:
        """Compare with pauses until all is known, or a later connect does it. Never raises."""
        self._connects += 1
        connect = self._connects
        # A connection lost meanwhile causes a second run, and a call must not get two sessions.
        with self._one_at_a_time:
            behind = self._registry.sessions() - set(self._adopting.values())
            for pause in chain(PAUSES, repeat(PAUSES[-1])):
                if connect != self._connects or self._compare(behind):
                    return
                gevent.sleep(pause)

    def _compare(self, behind: set[Session]) -> bool:
        """Act on the differences; return True if all is known. `behind` are those of this process.

        What Asterisk refuses to say about one call concerns only this call.
        """
        try:
            # Those that have ended meanwhile missed nothing.
            behind &= self._registry.sessions()
            catch_up(self._services.ari, behind)
            if self._recover() and not behind:
                self._log.recovered("all calls in progress are led")
                return True
        except AriError as error:
            self._log.problem(f"calls in progress cannot be compared with Asterisk: {error}")
        except Exception:
            log.exception("calls in progress could not be compared with Asterisk")
        return False

    def _recover(self) -> bool:
        """Lead the calls of the process before, and remove what belongs to no call."""
        before = self._call_uids()
        entries = self._read_journal()
        for entry in entries or ():
            if entry.call_uid not in before | self._call_uids():
                self._watch(entry)
        channels, bridges = self._channels(), self._bridges()
        if self._watch_rebuilt(before, channels, bridges):
            # Again, now that they are watched.
            channels, bridges = self._channels(), self._bridges()
        for session in self._adopting.values():
            self._adopt(session, channels, bridges)
        self._adopting.clear()
        # Not in one expression: all of them are tried.
        started = [self._start_if_unowned(channel) for channel in channels.values()]
        removed = [self._remove_if_unowned(bridge_id) for bridge_id in bridges]
        if entries is not None:
            self._close_rows()
        return entries is not None and all(started) and all(removed)

    def _channels(self) -> Listed:
        return {channel["id"]: channel for channel in self._services.ari.channels()}

    def _bridges(self) -> Listed:
        return {bridge["id"]: bridge for bridge in self._services.ari.bridges()}

    def _call_uids(self) -> set[str]:
        return {session.call.uid for session in self._registry.sessions()}

    # Calls of the process before

    def _read_journal(self) -> list[Entry] | None:
        try:
            return self._services.journal.read()
        except (OSError, gevent.Timeout) as error:
            self._log.problem(f"RECORDINGS_DIR: the calls in progress cannot be read: {error}")
            return None

    def _watch(self, entry: Entry) -> None:
        """Give a call of the journal its events from now on."""
        if entry.snapshot is None:
            return
        try:
            session = restore_session(self._services, entry.snapshot)
            if session.call.uid != entry.call_uid:
                raise ValueError("it is another call")
            is_led_anew = session.caller_id in self._registry
        except UNUSABLE as error:
            log.error("call %s cannot be read from its journal: %r", entry.call_uid, error)
            self._services.journal.set_aside(entry.call_uid)
            return
        if is_led_anew:
            # While the disk did not answer, the caller began another call.
            self._services.journal.remove(entry.call_uid)
            return
        self._dispatcher.watch(session)
        self._adopting[entry.call_uid] = session

    def _watch_rebuilt(self, before: set[str], channels: Listed, bridges: Listed) -> bool:
        """Watch the calls that have a bridge but no usable journal; return True if there are any.

        Not those that this process led when the lists were asked for: they have ended since.
        """
        uids = {call_of_bridge(self._pbx, bridge_id) for bridge_id in bridges}
        rebuilt = [
            self._rebuild(uid, channels, bridges)
            for uid in uids - before - self._call_uids()
            if uid is not None
        ]
        return any(rebuilt)

    def _rebuild(self, call_uid: str, channels: Listed, bridges: Listed) -> bool:
        caller_id = rebuild.caller_of(call_uid, channels, bridges)
        args = None if caller_id is None else self._arguments(channels[caller_id])
        if caller_id is None or args is None or caller_id in self._registry:
            return False
        log.warning("call %s has no journal; it is rebuilt from what Asterisk knows", call_uid)
        try:
            session = self._dispatcher.new_session(channels[caller_id], args)
            row = self._read_row(call_uid)
            rebuild.fill_session(session, call_uid, row, channels, bridges)
        except UNUSABLE as error:
            log.error("call %s cannot be rebuilt: %r", call_uid, error)
            return False
        self._dispatcher.watch(session)
        self._adopting[call_uid] = session
        return True

    def _read_row(self, call_uid: str) -> CallRow | None:
        try:
            return self._services.outbox.call_within(LEDGER_SECONDS, library.call, call_uid)
        except (gevent.Timeout, SQLAlchemyError):
            return None

    def _adopt(self, session: Session, channels: Listed, bridges: Listed) -> None:
        bridge_id = find_bridge(session.call.uid, bridges)
        for event in missed_replacement(session, bridge_id, channels, bridges):
            session.on_event(session, event)
        correct_by_lists(session, channels, bridges)
        # A bridge that the journal did not know yet.
        self._dispatcher.watch(session)
        is_there = session.caller_id in channels
        self._dispatcher.start_session(session, continue_call if is_there else end_abandoned_call)

    # What belongs to no call

    def _start_if_unowned(self, channel: JsonObject) -> bool:
        """Start a call with a channel that waits in this application and belongs to no call.

        Return False if Asterisk does not say whether it is still there.
        """
        args = self._arguments(channel)
        if args is None or channel["id"] in self._registry:
            return True
        if args[:1] == ["dialed"]:
            gevent.spawn(self._dispatcher.hang_up_late_leg, channel["id"])
            return True
        session = self._dispatcher.new_session(channel, args)
        self._dispatcher.watch(session)
        try:
            # The call it was in may have ended since it was listed.
            self._services.ari.channel(channel["id"])
        except AriError as error:
            self._registry.unregister(session)
            return error.gone
        self._dispatcher.start_session(session)
        return True

    def _arguments(self, channel: JsonObject) -> list[str] | None:
        """Return the arguments with which a channel entered this application, None if not in it."""
        app, *args = channel["dialplan"].get("app_data", "").split(",")
        in_stasis = channel["dialplan"].get("app_name") == "Stasis"
        return args if in_stasis and app == self._services.ari.app else None

    def _remove_if_unowned(self, bridge_id: str) -> bool:
        """Remove an own bridge of a call that has ended; return False if Asterisk refuses it.

        One by one: several at once can lock up Asterisk.
        """
        if not call_of_bridge(self._pbx, bridge_id) or bridge_id in self._registry:
            return True
        try:
            self._services.ari.delete_bridge(bridge_id)
        except AriError as error:
            # Its call may have removed it meanwhile.
            log.info("a bridge that was left over: %s", error)
            return error.gone
        return True

    def _close_rows(self) -> None:
        """Close the rows of this PBX's calls that have ended, and free their queue members."""
        live = list(self._call_uids())
        self._services.outbox.put(close_calls, self._pbx, live)
        self._services.outbox.put(membership.let_go_of_others, self._pbx, live)
