"""Routes Asterisk's events to the calls they belong to. Does nothing that can block."""

import logging
import re
from typing import Any

import gevent
from gevent.queue import Queue

from callytics.ari.commands import AriError
from worker.asterisk.event_stream import Event
from worker.calls.call_facts import CallFacts
from worker.calls.lifecycle import Lead, run
from worker.calls.registry import Routes
from worker.calls.session import Services, Session
from worker.flow_runner import lead_inbound
from worker.outbound import lead_outbound

log = logging.getLogger(__name__)


class Runner:
    """Begins calls and gives each its events."""

    def __init__(self, services: Services, routes: Routes, name: str) -> None:
        self._services, self._routes, self._name = services, routes, name
        self._queue: Queue = Queue()

    def put(self, event: Event) -> None:
        """Take an event from the reader, which must go back to reading at once."""
        self._queue.put(event)

    def run(self) -> None:
        """Route events for ever; a malformed one is logged and skipped."""
        while True:
            event = self._queue.get()
            try:
                self.handle(event)
            except (KeyError, TypeError, AttributeError):
                log.warning("skipped a malformed %s", event.get("type"))
            except Exception:
                log.exception("skipped a %s; other calls go on", event.get("type"))

    def handle(self, event: Event) -> None:
        """Give an event to its call, or begin a call with it."""
        sessions = self._routes.of(event)
        for session in sessions:
            session.inbox.put(event)
        if sessions or event["type"] != "StasisStart":
            return
        if "replace_channel" in event:
            # It takes the place of a phone whose call has ended in that instant.
            gevent.spawn(self._hang_up, event["channel"]["id"])
        else:
            self.begin(event["channel"], event["args"])

    def begin(self, channel: dict[str, Any], args: list[str]) -> None:
        """Begin a call with a channel that entered our application, unless it belongs to one."""
        if self._routes.knows(channel["id"]):
            return
        if args[:1] == ["dialed"]:
            # Its call ended in the instant in which it answered.
            gevent.spawn(self._hang_up, channel["id"])
            return
        session = Session(
            services=self._services,
            caller_id=channel["id"],
            call=_call_of(channel, args, self._name, self._services.recorder.asterisk),
            caller_up=channel["state"] == "Up",
        )
        self.start(session, _leader(args))
        log.info("call %s begins: %s", session.call.uid, " ".join(args) or "inbound")

    def start(self, session: Session, lead: Lead) -> None:
        """Route a call's events to it, and let it go its way."""
        for name in session.names():
            self._routes.watch(name, session)
        gevent.spawn(run, session, lead)

    def _hang_up(self, channel_id: str) -> None:
        try:
            self._services.ari.hang_up(channel_id)
        except AriError as error:
            log.debug("late leg: %s", error)


def _call_of(channel: dict[str, Any], args: list[str], worker: str, asterisk: str) -> CallFacts:
    """What `Stasis(callytics,DIRECTION,NUMBER)` says; then whom we rang, and for whom."""
    number = _plain(channel["caller"]["number"])
    return CallFacts(
        direction="outbound" if args[:1] == ["outbound"] else "inbound",
        caller_number=args[2].partition("/")[2] if len(args) > 2 else number,
        caller_name=args[3] if len(args) > 3 else _plain(channel["caller"]["name"]),
        dialed_number=args[1] if len(args) > 1 else channel["dialplan"]["exten"],
        worker=worker,
        asterisk=asterisk,
    )


def _plain(text: str) -> str:
    """What a caller says of themselves, as one line.

    Asterisk hands on the marks that SIP puts before a quote, and control characters.
    """
    return "".join(filter(str.isprintable, re.sub(r"\\(.)", r"\1", text)))


def _leader(args: list[str]) -> Lead:
    return lead_outbound if args[:1] == ["outbound"] else lead_inbound
