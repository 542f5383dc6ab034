"""Lost PBX: closes what a PBX has left open that never came back."""

import logging
from collections.abc import Callable
from datetime import timedelta

import gevent

from callytics.calls.ledger import close_lost_calls
from callytics.database.transactions import single_transaction
from callytics.pbx import lease
from callytics.pbx.lease import LostPbx
from callytics.queues import membership
from callytics.recordings.ledger import explain_open_recordings
from worker.persistence.outbox import Outbox
from worker.support.native_threads import Result

log = logging.getLogger(__name__)


def give_up_lost(outbox: Outbox, own_name: str, on_lost: Callable[[], None], minutes: int) -> None:
    """Queue that PBXs are given up whose lease has been over for so many minutes.

    `on_lost` is called when there were some: their recordings are anybody's to complete now.
    """
    gevent.spawn(_follow, outbox.put(give_up, own_name, timedelta(minutes=minutes)), on_lost)


def give_up(own_name: str, after: timedelta) -> list[LostPbx]:
    """Give up lost PBXs: end their calls, free their members. Needs an app context.

    Their recordings are completed by the housekeeping of a worker that sees the files.
    """
    with single_transaction():
        lost = lease.give_up(own_name, after)
        for pbx in lost:
            reason = f"PBX lost: {pbx.name} was last seen {pbx.seen_at:%Y-%m-%d %H:%M} UTC"
            close_lost_calls(pbx.name, pbx.seen_at, reason)
            explain_open_recordings(pbx.name, reason)
            membership.let_go_of_others(pbx.name, [])
    return lost


def _follow(given_up: Result[list[LostPbx]], on_lost: Callable[[], None]) -> None:
    try:
        lost = given_up.get()
    except Exception:
        # The outbox has logged it.
        return
    for pbx in lost:
        log.warning("PBX %s is lost: its calls are ended as of %s", pbx.name, pbx.seen_at)
    if lost:
        on_lost()
