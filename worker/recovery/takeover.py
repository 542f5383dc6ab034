"""Takeover of a PBX by its successor, which has another name: its open rows and its journal."""

from callytics.calls.ledger import reassign_open_calls
from callytics.database.transactions import single_transaction
from callytics.pbx import heartbeat
from callytics.queues import membership
from callytics.recordings.ledger import reassign_open_recordings
from worker.persistence.journal import Journal
from worker.persistence.outbox import Outbox


def take_over(predecessor: str, pbx: str, outbox: Outbox, journal: Journal) -> None:
    """Queue the takeover of what `predecessor` has left open, before it is read."""
    journal.take_over(predecessor)
    outbox.put(take_over_rows, predecessor, pbx)


def take_over_rows(predecessor: str, pbx: str) -> None:
    """Give all that is open of `predecessor` to `pbx`, and forget it. Needs an app context."""
    with single_transaction():
        reassign_open_calls(predecessor, pbx)
        reassign_open_recordings(predecessor, pbx)
        membership.reassign(predecessor, pbx)
        heartbeat.forget(predecessor)
