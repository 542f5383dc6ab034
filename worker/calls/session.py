"""One call: a greenlet with an inbox of its own events, and what every node may do with it."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, Literal

from gevent.queue import Empty, Queue

from callytics.ari.commands import Ari, AriError
from callytics.calls.ledger import save_call
from callytics.flows.document import Document
from callytics.recordings.facts import Facts
from worker.asterisk.event_stream import Event
from worker.calls.call_facts import CallFacts, disposition_of
from worker.calls.event_handlers import take_note
from worker.calls.leg import CallerGone, Leg
from worker.calls.queue_board import Board
from worker.persistence.journal import Journal
from worker.persistence.outbox import Outbox
from worker.persistence.rules_cache import Rules
from worker.recording.live_recording import LiveRecording
from worker.recording.recorder import Recorder

log = logging.getLogger(__name__)


# How much later than a refusal the event may come that explains it.
LATE_SECONDS = 1.0


@dataclass(frozen=True)
class Services:
    """What all calls share."""

    ari: Ari
    outbox: Outbox
    recorder: Recorder
    rules: Rules
    board: Board
    journal: Journal
    # Routes later events of a channel, bridge, playback or recording to a session.
    watch: Callable[[str, "Session"], None]
    forget: Callable[["Session"], None]


@dataclass(eq=False)
class Session:
    """The state of one call. Only its own greenlet touches it; the runner only fills `inbox`."""

    services: Services
    caller_id: str
    call: CallFacts
    caller_up: bool = False
    inbox: Queue = field(default_factory=Queue)
    legs: dict[str, Leg] = field(default_factory=dict)
    recordings: list[LiveRecording] = field(default_factory=list)
    # Phones that transferred their side of the call away and are still on the line.
    transferred: set[str] = field(default_factory=set)
    # Told which leg it was when the callee transferred the caller away: that phone is free now.
    on_transfer: Callable[[Leg], None] = lambda leg: None
    bridge_id: str | None = None
    # The flows as they were when the call began; a change is in force for the next call.
    document: Document = field(default_factory=Document)
    # What destinations are shown instead of the caller's own number.
    shown_number: str = ""
    # The prompt that is being played, and since when the caller stands in line.
    playback_id: str | None = None
    waiting_since: datetime | None = None
    hears: Literal["", "ringing", "music"] = ""
    ending: bool = False

    @property
    def ari(self) -> Ari:
        """Commands to Asterisk."""
        return self.services.ari

    def finish(self, result: str) -> None:
        """Close the path with `result`, and say how the call ended if nothing said so before."""
        self.call.leave(result)
        self.call.disposition = self.call.disposition or disposition_of(result)

    # Waiting

    def events(self, seconds: float | None = None) -> Iterator[Event]:
        """This call's events as they come, until `seconds` are over. Raises CallerGone."""
        until = None if seconds is None else monotonic() + seconds
        while until is None or monotonic() < until:
            try:
                left = None if until is None else max(0.0, until - monotonic())
                event = self.inbox.get(timeout=left)
            except Empty:
                return
            try:
                take_note(self, event)
            except (KeyError, TypeError, AttributeError):
                log.warning("call %s: skipped a malformed event", self.call.uid)
                continue
            yield event

    def wait_until(self, happened: Callable[[], bool], seconds: float) -> bool:
        """Take note of events until `happened()`; False when `seconds` were over first."""
        if happened():
            return True
        return any(happened() for _ in self.events(seconds))

    def hear_who_left(self, error: AriError, leg: Leg | None = None) -> None:
        """Asterisk refuses a command for one who hung up before it tells us that they did.

        Wait a moment for that. Raises CallerGone.
        """
        if error.status is not None and error.status < 500:
            self.wait_until(lambda: leg is not None and leg.gone, LATE_SECONDS)

    def names(self) -> list[str]:
        """All that this call owns in Asterisk: what its events can be told by."""
        bridge = [self.bridge_id] if self.bridge_id else []
        recordings = [recording.facts.name for recording in self.recordings]
        return [self.caller_id, *self.legs, *bridge, *recordings]

    def joined_leg(self) -> Leg | None:
        """Who talks with the caller already, in a call that was adopted."""
        return next((leg for leg in self.legs.values() if leg.joined and not leg.gone), None)

    # What nodes share

    def let_go(self, channel_id: str, reason: str = "normal") -> None:
        """Hang up a channel that may have gone already."""
        self.surely(lambda: self.ari.hang_up(channel_id, reason), "a channel was not hung up")

    def surely(self, command: Callable[[], None], trouble: str) -> None:
        """Remove something. Once refused, it is tried again: nothing else ever removes it."""
        for _ in range(2):
            try:
                return command()
            except AriError as error:
                if error.gone:
                    return None
                log.warning("call %s: %s: %s", self.call.uid, trouble, error)
        return None

    def save(self) -> None:
        """Send the row of the call to the ledger, and keep how it stands for a restart."""
        self.services.outbox.put(save_call, self.call.row())
        self.keep()

    def keep(self) -> None:
        """Keep how the call stands for a restart."""
        self.services.journal.keep(self.call.uid, self.snapshot())

    def snapshot(self) -> dict[str, Any]:
        """What `adopt` needs to go on with this call in another process."""
        return {
            "call": self.call.row(),
            "caller_id": self.caller_id,
            "caller_up": self.caller_up,
            "bridge_id": self.bridge_id,
            "legs": [asdict(leg) for leg in self.legs.values()],
            "recordings": [recording.facts.to_json() for recording in self.recordings],
            "document": self.document.only(self.call.flow).model_dump() if self.call.flow else {},
            "waiting_since": self.waiting_since,
        }

    def complete(self, recording: LiveRecording) -> Facts:
        """Take a recording that has ended off the call; one without sound is the call's problem."""
        self.recordings.remove(recording)
        facts = recording.complete()
        if facts.state == "failed":
            self.call.problem = f"not recorded: {facts.state_reason}"
        return facts

    def discard(self, recording: LiveRecording) -> None:
        """End a recording in which there is nothing, and leave nothing of it."""
        try:
            recording.stop(self.wait_until)
        except CallerGone:
            # Once more, for it must not go on when nobody knows of it any more.
            recording.stop(self.wait_until)
            raise
        finally:
            self.recordings.remove(recording)
            self.services.recorder.discard(recording.facts)

    def hold_recording(self, recording: LiveRecording) -> None:
        """Keep a recording that begins only when somebody lets it go on."""
        self.recordings.append(recording)
        self.services.watch(recording.facts.name, self)
        recording.pausing.watch(self)
        self.keep()

    def start_recording(self, recording: LiveRecording, command: Callable[[str], Any]) -> None:
        """Route a recording's events here and ask Asterisk for it."""
        self.recordings.append(recording)
        self.services.watch(recording.facts.name, self)
        recording.ask(command)
        # Not before: what is said until the recording starts is lost.
        self.keep()
