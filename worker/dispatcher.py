"""Event dispatcher: gives Asterisk's events to their calls, and starts calls. It never blocks."""

import logging
import re

import gevent
from gevent.queue import Queue

from callytics.ari.commands import AriError
from callytics.identifiers import is_placed_channel
from callytics.json_values import JsonObject
from callytics.plain_text import one_line
from worker.asterisk.event_stream import Event
from worker.calls.call_facts import CallFacts
from worker.calls.event_handlers import apply_event
from worker.calls.lifecycle import CallHandler, run_call
from worker.calls.registry import CallRegistry
from worker.calls.session import Services, Session
from worker.flow_runner import lead_inbound
from worker.outbound import run_outbound

log = logging.getLogger(__name__)


class Dispatcher:
    """Queue between the event stream and the sessions."""

    def __init__(self, services: Services, registry: CallRegistry, pbx: str) -> None:
        self._services, self._registry, self._pbx = services, registry, pbx
        self._queue: Queue[Event] = Queue()

    def put(self, event: Event) -> None:
        """Queue an event of the stream, which must go back to reading at once."""
        self._queue.put(event)

    def run(self) -> None:
        """Dispatch events forever; a malformed one is logged and skipped."""
        while True:
            event = self._queue.get()
            try:
                self.dispatch(event)
            except (KeyError, TypeError, AttributeError):
                log.warning("skipped a malformed %s", event.get("type"))
            except Exception:
                log.exception("skipped a %s; other calls go on", event.get("type"))

    def dispatch(self, event: Event) -> None:
        """Give an event to the calls it is about, or start a call with it."""
        sessions = self._registry.sessions_for(event)
        for session in sessions:
            session.inbox.put(event)
        if sessions or event["type"] != "StasisStart":
            return
        if "replace_channel" in event:
            # It replaces a phone whose call ended in the same instant.
            gevent.spawn(self.hang_up_late_leg, event["channel"]["id"])
        else:
            self.start_call(event["channel"], event["args"])

    def start_call(self, channel: JsonObject, args: list[str]) -> None:
        """Start a call with a channel that entered the application, unless a call owns it."""
        if channel["id"] in self._registry:
            return
        if args[:1] == ["dialed"]:
            # A leg whose call ended in the instant in which it answered.
            gevent.spawn(self.hang_up_late_leg, channel["id"])
            return
        session = self.new_session(channel, args)
        self.watch(session)
        self.start_session(session)

    def new_session(self, channel: JsonObject, args: list[str]) -> Session:
        """Return a call with a channel that entered the application."""
        return Session(
            services=self._services,
            caller_id=channel["id"],
            call=_call_facts(channel, args, self._pbx, self._services.recorder.asterisk),
            on_event=apply_event,
            caller_up=channel["state"] == "Up",
        )

    def watch(self, session: Session) -> None:
        """Give a call its events from now on; its handler applies them when it runs."""
        for name in session.event_sources():
            self._registry.register(name, session)

    def start_session(self, session: Session, handler: CallHandler | None = None) -> None:
        """Run the handler of a call in a greenlet, by default that of a new call."""
        if handler is None:
            handler = run_outbound if session.call.direction == "outbound" else lead_inbound
            call = session.call
            log.info("call %s begins: %s %s", call.uid, call.direction, call.dialed_number)
        gevent.spawn(run_call, session, handler)

    def hang_up_late_leg(self, channel_id: str) -> None:
        """Hang up a channel whose call has ended."""
        try:
            self._services.ari.hang_up(channel_id)
        except AriError as error:
            log.debug("late leg: %s", error)


def _is_outbound(args: list[str]) -> bool:
    return args[:1] == ["outbound"]


def _call_facts(channel: JsonObject, args: list[str], pbx: str, asterisk: str) -> CallFacts:
    """Return the facts that `Stasis(callytics,DIRECTION,NUMBER)` and the channel give."""
    caller_number, caller_name = _caller(channel, args)
    return CallFacts(
        direction="outbound" if _is_outbound(args) else "inbound",
        caller_number=caller_number,
        caller_name=caller_name,
        dialed_number=one_line(args[1] if len(args) > 1 else channel["dialplan"]["exten"]),
        pbx=pbx,
        asterisk=asterisk,
    )


def _caller(channel: JsonObject, args: list[str]) -> tuple[str, str]:
    """Return number and name of the caller.

    For a call placed from a page they follow NUMBER: the endpoint that was dialed, and the person.
    Nobody else may say so: a dialed number with commas becomes several arguments of `Stasis`.
    """
    number, name = (_unquoted(channel["caller"][key]) for key in ("number", "name"))
    if len(args) > 2 and is_placed_channel(channel["id"]):
        return args[2].partition("/")[2], args[3] if len(args) > 3 else name
    return number, name


def _unquoted(text: str) -> str:
    """Return a number or name as SIP sent it, of which Asterisk keeps backslashes before quotes."""
    return "".join(filter(str.isprintable, re.sub(r"\\(.)", r"\1", text)))
