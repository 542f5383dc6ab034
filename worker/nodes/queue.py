"""Queue node: plays music to the caller until a member is free and answers."""

from collections.abc import Iterable
from time import monotonic

from callytics.clock import utc_now
from callytics.flows.node_types.queue import QueueNode
from callytics.flows.parts import Queue
from worker.calls import caller_audio
from worker.calls.conversation import converse, make_bridge
from worker.calls.dialing import ring_until_answer
from worker.calls.leg import Leg
from worker.calls.queue_board import Waiter
from worker.calls.session import WAKE_UP, Session

# Polling interval for changes without an event: a phone comes back, a member is paused, another
# worker releases a member.
LOOK_SECONDS = 1.0


def run(session: Session, node: QueueNode) -> str:
    """Return `answered` after a conversation, or `wait_over`. Raises CallerGone."""
    settings, adopted = session.document.queues[node.queue], session.joined_leg()
    if adopted is not None and _go_on(session, node, settings, adopted):
        return "answered"
    # An adopted call keeps its position in the queue. A new one gets the time before the first
    # command, since Asterisk may answer the commands of two calls in another order.

    session.waiting_since = session.waiting_since or utc_now()
    caller_audio.stop_and_answer(session)
    make_bridge(session)
    waiter = Waiter(session.call.uid, node.queue, session.waiting_since, session.wake_up)
    session.write_journal()
    session.services.board.join(waiter, session.call.caller_number)
    try:
        return _wait(session, node, settings, waiter)
    finally:
        session.services.board.leave(waiter)
        session.waiting_since = None


def _go_on(session: Session, node: QueueNode, settings: Queue, leg: Leg) -> bool:
    """Continue an adopted conversation; return True unless the member was gone already."""
    board, uid = session.services.board, session.call.uid
    board.hold(leg.destination, uid)
    session.on_transfer = lambda leg: board.release(leg.destination, uid, settings.wrap_up_seconds)
    try:
        return converse(session, leg, "queue", node.record_call)
    finally:
        board.release(leg.destination, uid, settings.wrap_up_seconds)


def _wait(session: Session, node: QueueNode, settings: Queue, waiter: Waiter) -> str:
    waited = (utc_now() - waiter.since).total_seconds()
    until = monotonic() + node.max_wait_seconds - waited
    caller_audio.start_music(session, settings.music)
    while (left := until - monotonic()) > 0:
        members = session.services.board.take(waiter, settings)
        if members:
            began, again = monotonic(), set(members) <= set(waiter.tried)
            ring_seconds = max(1, min(settings.ring_seconds, int(left)))
            if _offer(session, node, settings, waiter, members, ring_seconds):
                return "answered"
            if again:
                # A member who refuses at once is not rung again at once.
                session.wait(LOOK_SECONDS - (monotonic() - began))
        else:
            _until_woken(session, min(LOOK_SECONDS, left))
    caller_audio.stop_and_answer(session)
    return "wait_over"


def _until_woken(session: Session, seconds: float) -> None:
    for event in session.events(seconds):
        if event is WAKE_UP:
            return


def _offer(
    session: Session,
    node: QueueNode,
    settings: Queue,
    waiter: Waiter,
    members: list[str],
    ring_seconds: int,
) -> bool:
    """Ring `members` for the caller; return True after a conversation with one of them."""
    board, winner = session.services.board, None
    wrap_up = settings.wrap_up_seconds
    session.on_transfer = lambda leg: board.release(leg.destination, session.call.uid, wrap_up)
    try:
        leg, _ = ring_until_answer(session, members, ring_seconds)
        if leg is not None:
            winner = leg.destination
            _release(session, [m for m in members if m != winner])
            if _talk(session, node, waiter, leg):
                return True
        board.tried(waiter, members)
        return False
    finally:
        _release(session, [m for m in members if m != winner])
        if winner is not None:
            board.release(winner, session.call.uid, wrap_up if session.call.answered_at else None)


def _talk(session: Session, node: QueueNode, waiter: Waiter, leg: Leg) -> bool:
    """Bridge caller and member; if that fails, return the caller to the same position."""
    board = session.services.board
    board.leave(waiter)
    if converse(session, leg, "queue", node.record_call):
        return True
    board.join(waiter, session.call.caller_number)
    return False


def _release(session: Session, members: Iterable[str]) -> None:
    for member in members:
        session.services.board.release(member, session.call.uid)
