"""One call: a greenlet with an inbox of its own events, and what every node may do with it."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, Literal

from gevent.queue import Empty, Queue

from callytics import ledger
from callytics.ari import Ari, AriError
from callytics.facts import Facts, new_uid, utc_now
from callytics.flow_document import Document
from worker.board import Board
from worker.call import CallFacts, disposition_of
from worker.events import Event
from worker.journal import Journal
from worker.outbox import Outbox
from worker.recorder import LiveRecording, Recorder
from worker.rules import Rules

log = logging.getLogger(__name__)


# How much later than a refusal the event may come that explains it.
LATE_SECONDS = 1.0
# What an unanswered caller is told by their own network.
_REASONS = {"busy": "busy", "no_answer": "no_answer", "failed": "congestion"}


class CallerGone(Exception):
    """The caller's channel ended; nothing more can be done for this call but to tidy up."""


@dataclass
class Leg:
    """A channel that we rang for the call."""

    channel_id: str
    destination: str
    # Asterisk has the channel, so that its absence means that it has gone.
    placed: bool = False
    up: bool = False
    gone: bool = False
    joined: bool = False
    # Asterisk would not let it talk with the caller, and so we hung up.
    refused: bool = False
    cause: int = 0


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
    bridge_id: str | None = None
    # The flows as they were when the call began; a change is in force for the next call.
    document: Document = field(default_factory=Document)
    # What destinations are shown instead of the caller's own number.
    shown_number: str = ""
    # The prompt that is being played, and since when the caller stands in line.
    playback_id: str | None = None
    waiting_since: datetime | None = None
    _hears: Literal["", "ringing", "music"] = ""
    _ending: bool = False

    @property
    def ari(self) -> Ari:
        """Commands to Asterisk."""
        return self.services.ari

    def run(self, lead: Callable[["Session"], None]) -> None:
        """Lead the call to its end, whatever happens on the way."""
        self.save()
        try:
            self._lead(lead)
        except CallerGone:
            talked = self.call.disposition == "answered"
            self.call.leave("answered" if talked else "caller_hung_up")
            self.finish("abandoned")
        except AriError as error:
            log.warning("call %s is ended: %s", self.call.uid, error)
            self.call.problem = self.call.problem or str(error)
            self.finish("failed")
        except Exception:
            log.exception("call %s failed; it is ended", self.call.uid)
            self.call.problem = self.call.problem or "an error in Callytics ended this call"
            self.finish("failed")
        self.end()

    def _lead(self, lead: Callable[["Session"], None]) -> None:
        try:
            lead(self)
        except AriError as error:
            self.hear_who_left(error)
            raise

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
                self._take_note(event)
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

    def _take_note(self, event: Event) -> None:
        """Keep the state true: who is there, who has gone, which recording has ended."""
        kind = event["type"]
        if kind.startswith("Recording"):
            for recording in self.recordings:
                if recording.facts.name == event["recording"]["name"]:
                    recording.hear(event)
        elif kind == "StasisStart" and "replace_channel" in event:
            self._replace(event["replace_channel"]["id"], event["channel"]["id"])
        elif kind == "ChannelHangupRequest":
            self._note_cause(event)
        elif kind in ("StasisEnd", "ChannelDestroyed"):
            self._note_cause(event)
            self._channel_left(event)
        elif event.get("channel", {}).get("id") in self.legs:
            self._leg_came(event)

    def _replace(self, old: str, new: str) -> None:
        """A phone transferred its side of the call: the new channel stands where the old did."""
        self.services.watch(new, self)
        if old == self.caller_id:
            self.caller_id = new
        elif old in self.legs:
            leg = self.legs.pop(old)
            leg.channel_id = new
            self.legs[new] = leg

    def _leg_came(self, event: Event) -> None:
        if event["type"] == "StasisStart":
            self.legs[event["channel"]["id"]].up = True

    def _note_cause(self, event: Event) -> None:
        """Who hung up first, and why, is the call's cause; what we do to the others is not."""
        leg, cause = self.legs.get(event["channel"]["id"]), event.get("cause")
        if leg is not None and cause:
            leg.cause = cause
        in_talk = leg is None or leg.up
        if cause and in_talk and self.call.hangup_cause is None and not self._ending:
            self.call.hangup_cause = cause

    def _channel_left(self, event: Event) -> None:
        leg = self.legs.get(event["channel"]["id"])
        if leg is not None:
            leg.gone = True
        elif event["channel"]["id"] == self.caller_id and not self._ending:
            self._ending = True
            raise CallerGone

    def names(self) -> list[str]:
        """All that this call owns in Asterisk: what its events can be told by."""
        bridge = [self.bridge_id] if self.bridge_id else []
        recordings = [recording.facts.name for recording in self.recordings]
        return [self.caller_id, *self.legs, *bridge, *recordings]

    def joined_leg(self) -> Leg | None:
        """Who talks with the caller already, in a call that was adopted."""
        return next((leg for leg in self.legs.values() if leg.joined and not leg.gone), None)

    # Commands that nodes share

    def answer(self) -> None:
        """Answer the caller, once."""
        if not self.caller_up:
            self.ari.answer(self.caller_id)
            self.caller_up = True

    def let_hear_ringing(self) -> None:
        """Ringing for the caller, from their own network before we answer, from Asterisk after.

        A caller who hears music while they wait goes on hearing it.
        """
        if not self._hears:
            self._please_the_ear(self.ari.ring)
            self._hears = "ringing"

    def start_music(self, music: str) -> None:
        """Music on hold for the caller."""
        self._please_the_ear(self.ari.start_music, music)
        self._hears = "music"

    def quiet(self) -> None:
        """End what the caller hears, and answer; to answer a channel ends its ringing too."""
        if self._hears == "music":
            self._please_the_ear(self.ari.stop_music)
        elif self._hears and self.caller_up:
            self._please_the_ear(self.ari.stop_ringing)
        self._hears = ""
        self.answer()

    def _please_the_ear(self, command: Callable[..., None], *words: str) -> None:
        """What a caller hears while they wait; without it the call goes on. Raises CallerGone."""
        try:
            command(self.caller_id, *words)
        except AriError as error:
            self.hear_who_left(error)
            log.warning("call %s: the caller hears something else: %s", self.call.uid, error)

    def ring(self, destination: str, seconds: int) -> Leg:
        """Begin to ring a destination. The leg is `gone` at once when Asterisk refuses it."""
        leg = Leg(f"callytics-{self.call.uid}-{new_uid()[:6]}", destination)
        self.legs[leg.channel_id] = leg
        self.services.watch(leg.channel_id, self)
        self.keep()
        try:
            self.ari.originate(
                destination,
                leg.channel_id,
                app_args=f"dialed,{self.call.uid}",
                ring_seconds=seconds,
                caller_id=self._caller_id(),
                originator=self.caller_id,
            )
        except AriError as error:
            log.info("call %s: %s cannot be rung: %s", self.call.uid, destination, error)
            # If only the answer was lost, it rings.
            self.let_go(leg.channel_id)
            leg.gone = True
        leg.placed = True
        return leg

    def let_go(self, channel_id: str, reason: str = "normal") -> None:
        """Hang up a channel that may have gone already."""
        self._surely(lambda: self.ari.hang_up(channel_id, reason), "a channel was not hung up")

    def _surely(self, command: Callable[[], None], trouble: str) -> None:
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
        self.services.outbox.put(ledger.save_call, self.call.row())
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

    def _caller_id(self) -> str:
        if self.shown_number:
            return self.shown_number
        name = self.call.caller_name.replace('"', "").replace("<", "").replace(">", "")
        return f'"{name}" <{self.call.caller_number}>' if self.call.caller_number else ""

    # The end

    def end(self) -> None:
        """Recordings first, so that their files are whole; then the channels, then the bridge.

        The files are read when everybody is gone: a disk that hangs must not keep them. No step
        that fails keeps the others from being done.
        """
        self._ending = True
        try:
            for step in (self._stop_recordings, self._let_all_go, self._complete_recordings):
                self._try(step)
        finally:
            self.call.ended_at = utc_now()
            self.save()
            self.services.journal.drop(self.call.uid)
            self.services.forget(self)

    def _try(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Exception:
            log.exception("call %s was not quite tidied up", self.call.uid)
            self.call.problem = self.call.problem or "an error in Callytics at the end of this call"

    def _stop_recordings(self) -> None:
        for recording in self.recordings:
            recording.stop(self.wait_until)

    def _let_all_go(self) -> None:
        for channel_id in list(self.legs):
            self.let_go(channel_id)
        self.let_go(self.caller_id, _REASONS.get(self.call.disposition or "", "normal"))
        if self.bridge_id is not None:
            bridge_id = self.bridge_id
            self._surely(lambda: self.ari.delete_bridge(bridge_id), "its bridge was not removed")

    def _complete_recordings(self) -> None:
        for recording in list(self.recordings):
            self.complete(recording)

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

    def start_recording(self, recording: LiveRecording, command: Callable[[str], Any]) -> None:
        """Route a recording's events here and ask Asterisk for it."""
        self.recordings.append(recording)
        self.services.watch(recording.facts.name, self)
        recording.ask(command)
        # Not before: what is said until the recording starts is lost.
        self.keep()
