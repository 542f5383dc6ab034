"""Recordings as the worker tells of them, through its own outbox.

    python -m tests.bench.writing SECONDS

writes, in the installation of its environment, and says how many a second there are to be seen.
"""

import sys
from collections import deque
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from time import monotonic

# Makes everything cooperate, as in a worker.
from worker.__main__ import SWITCH_SECONDS  # isort: skip

import gevent
from flask import Flask
from gevent.event import AsyncResult

from callytics import create_app
from callytics.config import load_config, read_environment
from callytics.identifiers import new_uid
from callytics.recordings import ledger
from callytics.recordings.facts import Facts
from tests.bench.filling import ADDED_FROM
from worker.persistence.outbox import Outbox

# Writes that are queued at most: who tells more than can be written shall wait, not be counted.
MOST_QUEUED = 500


def write(app: Flask, seconds: float) -> float:
    """Recordings that are new each second, over so many seconds and until all are written."""
    outbox = Outbox(app)
    gevent.spawn(outbox.run)
    began, queued = monotonic(), deque[AsyncResult]()
    for number in count():
        queued.extend(_one_recording(outbox, number))
        while len(queued) > MOST_QUEUED:
            queued.popleft().get()
        if monotonic() - began >= seconds:
            break
    for done in queued:
        done.get()
    return (number + 1) / (monotonic() - began)


def _one_recording(outbox: Outbox, number: int) -> Iterator[AsyncResult]:
    """Write what the worker writes of one recording, from the first state to the last."""
    at = ADDED_FROM + timedelta(milliseconds=5 * number)
    facts = Facts(
        uid=new_uid(),
        call_uid=new_uid(),
        kind="transfer",
        direction="inbound",
        state="requested",
        started_at=at,
        format="wav",
        caller_number=f"+4930{number % 9000 + 1000}",
        caller_name="Karl Miller",
        dialed_number="1000",
        callee="PJSIP/anna1",
        flow="flow1",
    )
    yield outbox.put(ledger.save_recording, facts)
    yield outbox.put(ledger.save_recording, facts.but(state="recording"))
    ended = {"ended_at": at + timedelta(minutes=1), "duration_ms": 60_000, "size_bytes": 960_044}
    final = facts.but(state="available", sha256="0" * 64, **ended)
    yield outbox.put(ledger.save_recording, final)
    yield outbox.put(ledger.save_waveform, facts.uid, b"\x7f" * 200)


if __name__ == "__main__":
    sys.setswitchinterval(SWITCH_SECONDS)
    print(write(create_app(load_config(read_environment())), float(sys.argv[1])))
