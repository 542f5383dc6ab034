"""Talks of a run, with parties and times, from Asterisk's own account (CEL), not the worker's."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = "/recording/"


@dataclass(frozen=True)
class Event:
    """A line of the account. `at` is seconds since 1970."""

    kind: str
    at: float
    channel_id: str
    channel: str
    app: str
    app_data: str
    user_event: str
    bridge_id: str


@dataclass(frozen=True)
class Talk:
    """Speech of a caller that somebody, or a voicemail, heard."""

    # Of the caller's own channel.
    channel_id: str
    # Of whom they talked with; 0 is a voicemail after its beep.
    hertz: int
    began: float
    ended: float
    # It ended because Asterisk was killed.
    killed: bool
    # Where the dialplan recorded it while the worker was away; relative to the folder.
    fallback_path: str = ""

    @property
    def seconds(self) -> float:
        """Return its length in seconds."""
        return self.ended - self.began


def read_events(account: Path) -> list[Event]:
    """Every line of the account, oldest first."""
    if not account.exists():
        return []
    with account.open(newline="") as lines:
        events = [_read_event(fields) for fields in csv.reader(lines)]
    return sorted(events, key=lambda event: event.at)


def _read_event(fields: list[str]) -> Event:
    kind, at, *names, extra = fields
    bridge_id = json.loads(extra).get("bridge_id", "") if extra else ""
    return Event(kind, float(at), *names, bridge_id)


def talks(events: Sequence[Event], kills: Sequence[float]) -> list[Talk]:
    """All conversations and messages; `kills` are the times at which Asterisk was killed."""
    found = [*_conversations(events, kills), *_messages(events, kills)]
    return sorted(found, key=lambda talk: talk.began)


def _conversations(events: Sequence[Event], kills: Sequence[float]) -> Iterable[Talk]:
    recorded = _fallback_paths(events)
    bridges: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        if event.kind.startswith("BRIDGE_"):
            bridges[event.bridge_id].append(event)
    for in_bridge in bridges.values():
        stays = [_stay(event, in_bridge, kills) for event in in_bridge if event.kind[7:] == "ENTER"]
        callers = [s for s in stays if s[0].channel_id.startswith("caller-")]
        callees = [s for s in stays if not s[0].channel_id.startswith("caller-")]
        for caller, left, killed in callers:
            for callee, callee_left, callee_killed in callees:
                began, ended = max(caller.at, callee.at), min(left, callee_left)
                channel_id = caller.channel_id.removesuffix(";2")
                path = recorded.get(channel_id, "")
                if began < ended:
                    both = killed and callee_killed
                    yield Talk(channel_id, _hertz(callee.channel), began, ended, both, path)


def _stay(entered: Event, others: Sequence[Event], kills: Sequence[float]) -> tuple:
    """Return the channels of a bridge, its end, and True if a kill ended it."""
    left = (e.at for e in others if e.kind[7:] == "EXIT" and e.channel_id == entered.channel_id)
    return entered, *_end(entered.at, left, kills)


def _end(began: float, ends: Iterable[float], kills: Sequence[float]) -> tuple[float, bool]:
    left = min((at for at in ends if at >= began), default=float("inf"))
    kill = min((at for at in kills if at >= began), default=float("inf"))
    return min(left, kill), kill <= left


def _messages(events: Sequence[Event], kills: Sequence[float]) -> Iterable[Talk]:
    """Return the speech of callers after the beep. In the fallback they hear somebody instead."""
    talking = {e.channel_id.removesuffix(";2") for e in events if e.kind == "BRIDGE_ENTER"}
    for beep in events:
        if beep.user_event == "BEEP-NOISE" and beep.channel_id not in talking:
            gone = (e.at for e in events if e.kind == "HANGUP" and e.channel_id == beep.channel_id)
            yield Talk(beep.channel_id, 0, beep.at, *_end(beep.at, gone, kills))


def _fallback_paths(events: Sequence[Event]) -> dict[str, str]:
    """By the caller's channel: where MixMonitor wrote to."""
    return {
        event.channel_id.removesuffix(";2"): event.app_data.partition(FOLDER)[2].partition(",")[0]
        for event in events
        if event.kind == "APP_START" and event.app == "MixMonitor"
    }


def _hertz(channel: str) -> int:
    """Return the tone (Hz) of the party named in a channel: Local/tone2100_1@party-…"""
    name = channel.partition("/tone")[2].partition("@")[0].partition("_")[0]
    return int(name) if name.isdigit() else -1
