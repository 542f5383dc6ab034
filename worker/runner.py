"""Routes Asterisk's events to the calls they belong to. Does nothing that can block."""

import logging
import re
from collections.abc import Callable, Iterator
from typing import Any

import gevent
from gevent.queue import Queue

from callytics.ari import Ari, AriError
from callytics.storage import Storage
from worker.board import Board
from worker.call import CallFacts
from worker.events import Event
from worker.flow import lead_inbound
from worker.journal import Journal
from worker.outbound import lead_outbound
from worker.outbox import Outbox
from worker.recorder import Recorder
from worker.rules import Rules
from worker.session import Services, Session

log = logging.getLogger(__name__)

# Where in an event the things are that a call can own.
_OWNED = ("channel", "bridge", "playback", "recording", "replace_channel")


class Runner:
    """The calls in progress and the way to each."""

    def __init__(
        self, ari: Ari, outbox: Outbox, storage: Storage, journal: Journal, name: str
    ) -> None:
        self._name = name
        self._queue: Queue = Queue()
        self._routes: dict[str, Session] = {}
        self.services = Services(
            ari=ari,
            outbox=outbox,
            recorder=Recorder(ari, outbox, storage),
            rules=Rules(outbox),
            board=Board(ari, outbox, name),
            journal=journal,
            watch=self._routes.__setitem__,
            forget=self._forget,
        )
        self.asterisk = ""

    def sessions(self) -> set[Session]:
        """The calls in progress."""
        return set(self._routes.values())

    def knows(self, name: str) -> bool:
        """Whether a channel, bridge, playback or recording belongs to a call."""
        return name in self._routes

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

    def handle(self, event: Event) -> None:
        """Give an event to its call, or begin a call with it."""
        sessions = {self._routes[name] for name in _names_in(event) if name in self._routes}
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
        if self.knows(channel["id"]):
            return
        if args[:1] == ["dialed"]:
            # Its call ended in the instant in which it answered.
            gevent.spawn(self._hang_up, channel["id"])
            return
        session = Session(
            services=self.services,
            caller_id=channel["id"],
            call=_call_of(channel, args, self._name, self.asterisk),
            caller_up=channel["state"] == "Up",
        )
        self.start(session, _leader(args))
        log.info("call %s begins: %s", session.call.uid, " ".join(args) or "inbound")

    def start(self, session: Session, lead: Callable[[Session], None]) -> None:
        """Route a call's events to it, and let it go its way."""
        for name in session.names():
            self._routes[name] = session
        gevent.spawn(session.run, lead)

    def _hang_up(self, channel_id: str) -> None:
        try:
            self.services.ari.hang_up(channel_id)
        except AriError as error:
            log.debug("late leg: %s", error)

    def _forget(self, session: Session) -> None:
        for name in [name for name, owner in self._routes.items() if owner is session]:
            del self._routes[name]


def _names_in(event: Event) -> Iterator[str]:
    for key in _OWNED:
        thing = event.get(key)
        if thing:
            yield thing["name"] if key == "recording" else thing["id"]


def _call_of(channel: dict[str, Any], args: list[str], worker: str, asterisk: str) -> CallFacts:
    """What `Stasis(callytics,DIRECTION,NUMBER)` says; a third word is whom we rang to call."""
    number = _plain(channel["caller"]["number"])
    return CallFacts(
        direction="outbound" if args[:1] == ["outbound"] else "inbound",
        caller_number=args[2].partition("/")[2] if len(args) > 2 else number,
        caller_name=_plain(channel["caller"]["name"]),
        dialed_number=args[1] if len(args) > 1 else channel["dialplan"]["exten"],
        worker=worker,
        asterisk=asterisk,
    )


def _plain(text: str) -> str:
    """What a caller says of themselves, as one line.

    Asterisk hands on the marks that SIP puts before a quote, and control characters.
    """
    return "".join(filter(str.isprintable, re.sub(r"\\(.)", r"\1", text)))


def _leader(args: list[str]) -> Callable[[Session], None]:
    return lead_outbound if args[:1] == ["outbound"] else lead_inbound
