"""Recovery after each connect: handles what happened while no events were received.

Asterisk replays no event. So its lists of channels and bridges are compared with the calls of this
process and with the journal of the process before it. A call is watched before anything is asked
about it, and what happens meanwhile waits in its inbox until it is led.
"""

import logging
from itertools import chain, repeat

import gevent
from gevent.lock import Semaphore

from callytics.ari.commands import AriError
from callytics.calls.ledger import close_calls
from callytics.json_values import JsonObject
from callytics.queues import membership
from worker.calls.bridge_ids import call_of_bridge
from worker.calls.registry import CallRegistry
from worker.calls.session import Services, Session
from worker.dispatcher import Dispatcher
from worker.recovery.adopt import Listed
from worker.recovery.earlier_calls import EarlierCalls
from worker.recovery.missed_events import catch_up
from worker.recovery.rebuild import stasis_arguments
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
        self._earlier = EarlierCalls(dispatcher, registry, services, pbx)
        self._log = ThrottledLog(log)

    def run(self) -> None:
        """Compare with pauses until all is known, or a later connect does it. Never raises."""
        self._connects += 1
        connect = self._connects
        # A connection lost meanwhile causes a second run, and a call must not get two sessions.
        with self._one_at_a_time:
            behind = self._registry.sessions() - self._earlier.watched()
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
        is_read = self._earlier.watch_journal(before)
        channels, bridges = self._channels(), self._bridges()
        if self._earlier.watch_rebuilt(before, channels, bridges):
            # Again, now that they are watched.
            channels, bridges = self._channels(), self._bridges()
        self._earlier.lead(channels, bridges)
        # Not in one expression: all of them are tried.
        started = [self._start_if_unowned(channel) for channel in channels.values()]
        removed = [self._remove_if_unowned(bridge_id) for bridge_id in bridges]
        if is_read:
            self._close_rows()
        return is_read and all(started) and all(removed)

    def _channels(self) -> Listed:
        return {channel["id"]: channel for channel in self._services.ari.channels()}

    def _bridges(self) -> Listed:
        return {bridge["id"]: bridge for bridge in self._services.ari.bridges()}

    def _call_uids(self) -> set[str]:
        return {session.call.uid for session in self._registry.sessions()}

    # What belongs to no call

    def _start_if_unowned(self, channel: JsonObject) -> bool:
        """Start a call with a channel that waits in this application and belongs to no call.

        Return False if Asterisk does not say whether it is still there.
        """
        args = stasis_arguments(self._services.ari.app, channel)
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
