"""Recordings as an office makes them: in order of time, and few callers call often."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import numpy as np

from callytics.recordings.facts import KINDS
from callytics.recordings.search_text import searchable
from callytics.recordings.sort_key import IDS_PER_SECOND

COLUMNS = (
    *("id", "uid", "call_uid", "kind", "direction", "state", "state_reason", "caller_number"),
    *("caller_name", "dialed_number", "callee", "flow", "node", "started_at", "ended_at"),
    *("duration_ms", "format", "size_bytes", "path", "search_text"),
)
NEWEST = datetime(2026, 11, 22, 12, tzinfo=UTC)
# Three in a minute by day and night: ten million are six years.
SECONDS_APART = 20
FIRST = (
    *("Anna", "Bernd", "Christa", "David", "Ellen", "Frank", "Georg"),
    *("Heidi", "Ingrid", "John", "Karl", "Lukas", "Maria", "Nils"),
)
LAST = (
    *("Miller", "Schmidt", "Johnson", "Weiss", "Rossi", "Garcia"),
    *("Lindgren", "Hoffmann", "Berger", "Kramov", "Petersen"),
)
AT_ONCE = 20_000


def rows(count: int) -> Iterator[tuple]:
    """`count` recordings from the oldest to the newest, the same ones each time."""
    chance = np.random.default_rng(count)
    at = NEWEST.timestamp() - SECONDS_APART * count
    last_place = 0
    for first in range(0, count, AT_ONCE):
        many = min(AT_ONCE, count - first)
        times = at + np.cumsum(chance.exponential(SECONDS_APART, many))
        at = float(times[-1])
        values = zip(*(drawn.tolist() for drawn in (times, *_draw(chance, many))), strict=True)
        for number, (moment, *drawn) in enumerate(values, first):
            last_place = max(int(moment) * IDS_PER_SECOND, last_place + 1)
            yield _row(number, last_place, moment, *drawn)


def _draw(chance: np.random.Generator, many: int) -> tuple[np.ndarray, ...]:
    """Kind, whether it failed, caller, dialed number, who answered, flow and length of each."""

    def pareto(shape: float, most: int) -> np.ndarray:
        return np.minimum((1 - chance.random(many)) ** (-1 / shape), most).astype(int)

    return (
        chance.choice(len(KINDS), many, p=(0.35, 0.3, 0.15, 0.15, 0.05)),
        chance.random(many) < 0.01,
        # Half of the calls are from a few hundred who call all the time.
        pareto(0.3, 10**8),
        pareto(1, 60),
        pareto(0.6, 900),
        pareto(1, 40),
        chance.lognormal(11.5, 1, many).astype(int),
    )


def _row(number: int, place: int, moment: float, kind: int, failed: bool, *drawn: int) -> tuple:
    caller, dialed, desk, flow, length = drawn
    ms = None if failed else length
    caller_number, caller_name = _caller(caller)
    names = (caller_number, caller_name, str(1000 + dialed), _callee(caller % 14, desk))
    began = datetime.fromtimestamp(moment, UTC)
    uid = f"{number:020x}"
    return (
        *(place, uid, uid, KINDS[kind], "outbound" if KINDS[kind] == "outbound" else "inbound"),
        *("failed" if failed else "available", "", *names, f"flow{flow}", "desk", began),
        *(began + timedelta(milliseconds=ms or 0), ms, "wav", 44 + 16 * (ms or 0)),
        *(f"{began:%Y/%m/%d}/{uid}.wav", _searchable(*names)),
    )


@lru_cache(maxsize=200_000)
def _caller(caller: int) -> tuple[str, str]:
    # The same one has the same number each time; seeding takes longer than all the rest.
    known = random.Random(caller)
    name = f"{known.choice(FIRST)} {known.choice(LAST)}" if known.random() < 0.6 else ""
    return f"+49{known.randrange(10**9, 10**10)}", name


@lru_cache(maxsize=20_000)
def _callee(name: int, desk: int) -> str:
    return f"PJSIP/{FIRST[name].lower()}{desk}"


@lru_cache(maxsize=200_000)
def _searchable(number: str, name: str, dialed: str, callee: str) -> str:
    names = {"caller_number": number, "caller_name": name}
    return searchable({**names, "dialed_number": dialed, "callee": callee})
