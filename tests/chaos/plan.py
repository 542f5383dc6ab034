"""Plan of a run: calls and faults drawn from a seed, so that a run can be repeated."""

import random
from dataclasses import dataclass, replace

# Each caller speaks a tone of their own, far enough from the beep of a voicemail (700 Hz).
TONES = [hertz for hertz in range(400, 2001, 40) if hertz not in (680, 720)]
PROMPT_HERTZ = 2600
FALLBACK_HERTZ = 2800
# A caller takes the first sound they hear for the beep.
MESSAGE = {"type": "voicemail", "greeting": "sound:silence/1", "max_seconds": 60}
RESTARTABLE = ("worker", "asterisk", "database")
# With several PBXs the network of one is cut as well, to the database or to its Asterisk.
NETWORKS = ("network to the database", "network to Asterisk")


def party(name: str) -> str:
    """The dial string of somebody in tests/support/dialplan."""
    return f"Local/{name}@party/n"


def _transfer(name: str, **more: object) -> dict[str, object]:
    return {"type": "transfer", "destination": party(name), "record_call": True, **more}


def _hunt(*names: str, **more: object) -> dict[str, object]:
    destinations = [party(name) for name in names]
    node = {"type": "hunt_group", "destinations": destinations, "record_call": True}
    return {**node, "ring_seconds": 5, **more}


# By number: what the flow does with a call. A node "next" follows where nobody answers.
FLOWS: dict[str, dict[str, dict[str, object]]] = {
    "1000": {"start": _transfer("tone2100")},
    "1001": {
        "start": {"type": "play_audio", "media": f"sound:tone{PROMPT_HERTZ}", "next": "desk"},
        "desk": _transfer("tone2150_1_4"),
    },
    "1002": {"start": _transfer("tone2200_1", record_call=False)},
    "1003": {"start": _transfer("busy", next="message"), "message": MESSAGE},
    "1004": {"start": _transfer("never", ring_seconds=1, next="message"), "message": MESSAGE},
    "1005": {"start": _hunt("never", "tone2250_1", "busy", strategy="simultaneous")},
    "1006": {"start": _hunt("busy", "refuse", "tone2300_1", strategy="ordered")},
    "1007": {"start": _hunt("absent", "tone2350", strategy="random", record_call=False)},
    "1008": {"start": {"type": "queue", "queue": "team", "record_call": True}},
    "1009": {"start": MESSAGE},
}
QUEUES = {
    "team": {"members": [party("tone2400"), party("tone2450_1")], "ring_seconds": 5},
}
SETTINGS = {
    "outbound_endpoint": party("tone{number}_1"),
    "record_outbound_calls": "true",
}
UNRECORDED = ("1002", "1007")
VOICEMAIL = ("1003", "1004", "1009")
OUTBOUND = ("2500", "2550")


@dataclass(frozen=True)
class Call:
    """Somebody calls `number` and speaks `hertz` for some seconds."""

    caller_number: str
    number: str
    party: str
    hertz: int
    seconds: int
    # Before this call is placed.
    pause_seconds: float
    # Number of the PBX that is called.
    pbx: int = 0

    @property
    def context(self) -> str:
        """Return the dialplan context in which it begins."""
        return "from-internal" if self.number in OUTBOUND else "from-trunk"

    @property
    def channel_id(self) -> str:
        """The caller's own side; the side that the flow has is called ";2"."""
        return f"caller-{self.caller_number}"


@dataclass(frozen=True)
class Fault:
    """A fault: the processes that die together, after which call, and the seconds they are away."""

    after_call: int
    delay_seconds: float
    dies: tuple[str, ...]
    away_seconds: float
    # In which order they are started again.
    returns: tuple[str, ...]
    # Number of the PBX to which it happens.
    pbx: int = 0


def draw_calls(chance: random.Random, count: int, pbxs: int = 1) -> list[Call]:
    """Calls over all paths and PBXs, each about as often as the others."""
    numbers: list[str] = []
    while len(numbers) < count:
        paths = [*FLOWS, *OUTBOUND, "1008", "1000"]
        chance.shuffle(paths)
        numbers += paths
    calls = [_draw_call(chance, index, number) for index, number in enumerate(numbers[:count])]
    return [replace(call, pbx=index % pbxs) for index, call in enumerate(calls)]


def _draw_call(chance: random.Random, index: int, number: str) -> Call:
    hertz, seconds = TONES[index % len(TONES)], chance.randint(2, 8)
    name = f"tone{hertz}__{seconds}"
    if number in VOICEMAIL:
        name = f"after{hertz}_{seconds}" + chance.choice(["", "_#"])
    return Call(f"1555{index:04}", number, name, hertz, seconds, chance.uniform(0, 1.5))


def draw_faults(chance: random.Random, calls: int, count: int, pbxs: int = 1) -> list[Fault]:
    """Faults spread over the calls: each kind, and after all kinds also two at once."""
    kinds: list[tuple[str, ...]] = []
    names = RESTARTABLE if pbxs == 1 else (*RESTARTABLE, *NETWORKS)
    while len(kinds) < count:
        some = [(name,) for name in names]
        chance.shuffle(some)
        both = tuple(chance.sample(names, 2))
        kinds += [*some, both]
    # Not in the last calls, so that what comes after a fault is seen as well.
    spread = sorted(chance.sample(range(1, max(calls - 1, count + 1)), count))
    faults = [_draw_fault(chance, *pair) for pair in zip(spread, kinds[:count], strict=True)]
    # One PBX draws nothing, so that the seeds of earlier runs still say the same.
    return faults if pbxs == 1 else [replace(f, pbx=chance.randrange(pbxs)) for f in faults]


def _draw_fault(chance: random.Random, after_call: int, dies: tuple[str, ...]) -> Fault:
    returns = tuple(chance.sample(dies, len(dies)))
    return Fault(after_call, chance.uniform(0, 4), dies, chance.uniform(0.2, 5), returns)
