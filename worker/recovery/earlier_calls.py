"""Calls of the process before: watched, then led, from the journal or from what Asterisk knows."""

import logging

import gevent
from sqlalchemy.exc import SQLAlchemyError

from callytics.calls import library
from callytics.calls.library import CallRow
from worker.calls.bridge_ids import call_of_bridge, find_bridge
from worker.calls.registry import CallRegistry
from worker.calls.session import Services, Session
from worker.dispatcher import Dispatcher
from worker.persistence.journal import Entry
from worker.recovery.adopt import (
    LEDGER_SECONDS,
    UNUSABLE,
    Listed,
    continue_call,
    correct_by_lists,
    end_abandoned_call,
    restore_session,
)
from worker.recovery.missed_events import missed_replacement
from worker.recovery.rebuild import caller_of, fill_session, stasis_arguments
from worker.support.throttled_log import ThrottledLog

log = logging.getLogger(__name__)


class EarlierCalls:
    """Calls that the process before this one led."""

    def __init__(
        self, dispatcher: Dispatcher, registry: CallRegistry, services: Services, pbx: str
    ) -> None:
        self._dispatcher, self._registry = dispatcher, registry
        self._services, self._pbx = services, pbx
        # By uid: watched, but not led yet.
        self._adopting: dict[str, Session] = {}
        self._log = ThrottledLog(log)

    def watched(self) -> set[Session]:
        """Return the calls that are watched, but not led yet."""
        return set(self._adopting.values())

    def watch_journal(self, before: set[str]) -> bool:
        """Watch the calls of the journal; return False if it cannot be read.

        Not those of the uids `before`, which this process led when it was asked for.
        """
        try:
            entries = self._services.journal.read()
        except (OSError, gevent.Timeout) as error:
            self._log.problem(f"RECORDINGS_DIR: the calls in progress cannot be read: {error}")
            return False
        for entry in entries:
            if entry.call_uid not in before | self._call_uids():
                self._watch(entry)
        return True

    def watch_rebuilt(self, before: set[str], channels: Listed, bridges: Listed) -> bool:
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

    def lead(self, channels: Listed, bridges: Listed) -> None:
        """Lead the calls that are watched, corrected by Asterisk's lists."""
        # Those who wait in a queue join it in their old order.
        for session in sorted(self._adopting.values(), key=lambda s: s.call.started_at):
            del self._adopting[session.call.uid]
            self._adopt(session, channels, bridges)

    def _call_uids(self) -> set[str]:
        return {session.call.uid for session in self._registry.sessions()}

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

    def _rebuild(self, call_uid: str, channels: Listed, bridges: Listed) -> bool:
        caller_id = caller_of(call_uid, channels, bridges)
        if caller_id is None or caller_id in self._registry:
            return False
        args = stasis_arguments(self._services.ari.app, channels[caller_id])
        if args is None:
            return False
        log.warning("call %s has no journal; it is rebuilt from what Asterisk knows", call_uid)
        try:
            session = self._dispatcher.new_session(channels[caller_id], args)
            row = self._read_row(call_uid)
            fill_session(session, call_uid, row, channels, bridges)
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
        replaced, left = missed_replacement(session, bridge_id, channels, bridges) or (None, None)
        if replaced and left:
            session.on_event(session, replaced)
            # Its handler asks Asterisk for a hang-up, for which other calls must not wait.
            session.inbox.put(left)
        correct_by_lists(session, channels, bridges)
        # A bridge that the journal did not know yet.
        self._dispatcher.watch(session)
        is_there = session.caller_id in channels
        self._dispatcher.start_session(session, continue_call if is_there else end_abandoned_call)
