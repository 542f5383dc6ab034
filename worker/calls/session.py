"""Call session: the state of one call, its inbox of events, and what every node may do with it."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Literal

import gevent
from gevent.queue import Empty, Queue

from callytics.ari.commands import Ari, AriError
from callytics.calls.ledger import save_call
from callytics.flows.document import Document
from callytics.recordings.facts import Facts, Kind
from callytics.recordings.pauses import Spans
from worker.asterisk.event_stream import Event
from worker.calls.call_facts import CallFacts, disposition_of
from worker.calls.leg import CallerGone, Leg
from worker.calls.queue_board import QueueBoard
from worker.persistence.journal import Journal, Snapshot
from worker.persistence.outbox import Outbox
from worker.persistence.rules_cache import RulesCache
from worker.recording.live_recording import LiveRecording
from worker.recording.recorder import Recorder

log = logging.getLogger(__name__)


# How much later than a refusal the event may come that explains it.
LATE_SECONDS = 1.0
# Makes a call look again at its state: a queue member may be free, a recording may have failed.
WAKE_UP: Event = {"type": "CallyticsWakeUp"}


@dataclass(frozen=True)
class Services:
    """Services that all calls share."""

    ari: Ari
    outbox: Outbox
    recorder: Recorder
    rules: RulesCache
    board: QueueBoard
    journal: Journal
    # Give later events of a channel, bridge, playback or recording to a session; and no more.
    register: Callable[[str, "Session"], None]
    unregister: Callable[["Session"], None]


@dataclass(eq=False)
class Session:
    """State of one call. Only its own greenlet changes it; the dispatcher only fills `inbox`."""

    services: Services
    caller_id: str
    call: CallFacts
    # Updates this state by an event. Raises CallerGone.
    on_event: Callable[["Session", Event], None]
    caller_up: bool = False
    inbox: Queue[Event] = field(default_factory=Queue)
    legs: dict[str, Leg] = field(default_factory=dict)
    recordings: list[LiveRecording] = field(default_factory=list)
    # The last request to pause or resume each recording, by uid; the next one waits for it.
    pause_turns: dict[str, "gevent.Greenlet[..., None]"] = field(default_factory=dict)
    # Phones that transferred their side of the call away and are still on the line.
    transferred: set[str] = field(default_factory=set)
    # Called with the leg when the callee transferred the caller away: that phone is free now.
    on_transfer: Callable[[Leg], None] = lambda leg: None
    bridge_id: str | None = None
    # The flows as they were when the call began; a change is in force for the next call.
    document: Document = field(default_factory=Document)
    # Caller ID for the destinations, if not the caller's own number.
    caller_id_override: str = ""
    playback_id: str | None = None
    # Since when the caller waits in a queue.
    waiting_since: datetime | None = None
    hears: Literal["", "ringing", "music"] = ""
    ending: bool = False
    # The call is tidied up: what still runs beside it must not write it into the journal again.
    ended: bool = False

    @property
    def ari(self) -> Ari:
        """Commands to Asterisk."""
        return self.services.ari

    # Events

    def events(self, seconds: float | None = None) -> Iterator[Event]:
        """Yield this call's events, applied to the session, for `seconds`. Raises CallerGone."""
        until = None if seconds is None else monotonic() + seconds
        while until is None or monotonic() < until:
            try:
                left = None if until is None else max(0.0, until - monotonic())
                event = self.inbox.get(timeout=left)
            except Empty:
                return
            if self._apply(event):
                yield event

    def catch_up(self) -> None:
        """Apply the events that have come, without waiting. Raises CallerGone."""
        while not self.inbox.empty():
            self._apply(self.inbox.get_nowait())

    def wait(self, seconds: float) -> None:
        """Apply events for `seconds`, none if that is negative. Raises CallerGone."""
        for _ in self.events(seconds):
            pass

    def _apply(self, event: Event) -> bool:
        try:
            self.on_event(self, event)
        except (KeyError, TypeError, AttributeError):
            log.warning("call %s: skipped a malformed event", self.call.uid)
            return False
        return True

    def wait_until(self, happened: Callable[[], bool], seconds: float) -> bool:
        """Apply events until `happened()`; False if `seconds` passed first. Raises CallerGone."""
        if happened():
            return True
        return any(happened() for _ in self.events(seconds))

    def wait_for_hangup(self, error: AriError, leg: Leg | None = None) -> None:
        """Wait a moment for the hang-up event that explains a refused command. Raises CallerGone.

        Asterisk refuses commands for a channel that hung up before it sends the event, which may be
        lost as well.
        """
        if not error.refused:
            return
        explained = self.wait_until(lambda: leg is not None and leg.gone, LATE_SECONDS)
        if not explained and not self.caller_is_there():
            self.ending = True
            raise CallerGone

    def caller_is_there(self) -> bool:
        """Return False if Asterisk has no such channel, True if it has or does not say."""
        try:
            self.ari.channel(self.caller_id)
        except AriError as error:
            return not error.gone
        return True

    def wake_up(self) -> None:
        """Make the call's greenlet look again at its state."""
        self.inbox.put(WAKE_UP)

    def event_sources(self) -> list[str]:
        """Return the names of all that this call owns in Asterisk, as they stand in events."""
        bridge = [self.bridge_id] if self.bridge_id else []
        recordings = [recording.facts.name for recording in self.recordings]
        return [self.caller_id, *self.legs, *bridge, *recordings]

    # Channels

    def joined_leg(self) -> Leg | None:
        """Return the leg that talks with the caller already, in a call that was adopted."""
        return next((leg for leg in self.legs.values() if leg.joined and not leg.gone), None)

    def hang_up(self, channel_id: str, reason: str = "normal") -> None:
        """Hang up a channel that may be gone already."""
        self.try_twice(lambda: self.ari.hang_up(channel_id, reason), "a channel was not hung up")

    def try_twice(self, command: Callable[[], None], problem: str) -> None:
        """Remove something from Asterisk, where nothing else would ever remove it."""
        for _ in range(2):
            try:
                return command()
            except AriError as error:
                if error.gone:
                    return None
                log.warning("call %s: %s: %s", self.call.uid, problem, error)
        return None

    # Row and journal

    def finish(self, result: str) -> None:
        """End the path with `result`, and set how the call ended if nothing has set it before."""
        self.call.leave(result)
        self.call.disposition = self.call.disposition or disposition_of(result)

    def save(self) -> None:
        """Queue the call's row for the ledger and its state for the journal."""
        self.save_row()
        self.write_journal()

    def save_row(self) -> None:
        """Queue the call's row for the ledger."""
        self.services.outbox.put(save_call, self.call.row())

    def write_journal(self) -> None:
        """Queue the call's state for the journal, for a worker that is restarted."""
        if self.ended:
            return
        self.services.journal.write(self.call.uid, self.snapshot())

    def snapshot(self) -> Snapshot:
        """Return the state from which `restore_session` continues this call in another process."""
        return {
            "call": self.call.row(),
            "caller_id": self.caller_id,
            "caller_up": self.caller_up,
            "bridge_id": self.bridge_id,
            "legs": [dict(vars(leg)) for leg in self.legs.values()],
            "recordings": [recording.facts.to_json() for recording in self.recordings],
            "document": self.document.only(self.call.flow).model_dump() if self.call.flow else {},
            "waiting_since": self.waiting_since,
        }

    # Recordings

    def new_recording(
        self, kind: Kind, audio_format: str, callee: str, pauses: Spans = ()
    ) -> LiveRecording:
        """Queue the intent to record; `start_recording` or `add_recording` comes next."""
        facts = self.call.new_recording(kind, audio_format, callee)
        return LiveRecording.begin(self.services.recorder, facts.but(pauses=pauses))

    def start_recording(self, recording: LiveRecording, command: Callable[[str], object]) -> None:
        """Ask Asterisk for a recording by `command`, which is given its name."""
        self.add_recording(recording)
        recording.ask(command)
        # After the command: audio is lost until the recording starts.
        self.write_journal()

    def add_recording(self, recording: LiveRecording) -> None:
        """Add a recording to the call and receive its events."""
        self.recordings.append(recording)
        self.services.register(recording.facts.name, self)

    def complete_recording(self, recording: LiveRecording) -> Facts:
        """Remove a recording that has ended; one that failed becomes the call's problem."""
        self.recordings.remove(recording)
        facts = recording.complete()
        if facts.state == "failed":
            self.call.problem = f"not recorded: {facts.state_reason}"
        return facts

    def discard_recording(self, recording: LiveRecording) -> None:
        """Stop an empty recording and delete all of it. Raises CallerGone."""
        try:
            recording.stop(self.wait_until)
        except CallerGone:
            # Again, because after this call nobody would stop it.
            recording.stop(self.wait_until)
            raise
        finally:
            self.recordings.remove(recording)
            self.services.recorder.discard(recording.facts)
