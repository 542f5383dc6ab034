"""Missed events: a call hears that a prompt or a recording has ended while no event came."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ari_server import Answer, AriServer, Command
from tests.support.processes import fresh_environment
from tests.support.services import new_services
from worker.calls.call_facts import CallFacts
from worker.calls.event_handlers import apply_event
from worker.calls.session import Session
from worker.recovery.missed_events import ask_missed_ends

GONE, THERE, BROKEN = Answer(404, {"message": "gone"}), Answer(200, {"state": "?"}), Answer(500, {})


class Questions(AriServer):
    """ARI that gives one answer to every question."""

    said = GONE

    def answer(self, command: Command) -> Answer:
        """Return the answer."""
        return self.said


@pytest.fixture
def ari() -> Iterator[Questions]:
    with Questions() as server:
        yield server


@pytest.fixture
def session(ari: Questions, tmp_path: Path) -> Session:
    environment = {**fresh_environment(tmp_path), "ARI_URL": ari.url}
    call = CallFacts("inbound", "15550001", "Ann", "1000", "office", "")
    return Session(new_services(environment), "caller", call, apply_event)


@pytest.mark.parametrize(("said", "has_ended"), [(GONE, True), (THERE, False)])
def test_a_prompt_that_has_ended_is_told(ari, session, said, has_ended):
    ari.said, session.playback_id = said, "prompt"
    assert ask_missed_ends(session)
    events = [session.inbox.get_nowait() for _ in range(session.inbox.qsize())]
    ended = {"type": "PlaybackFinished", "playback": {"id": "prompt", "state": "done"}}
    assert events == [ended] * has_ended


def test_a_call_that_plays_nothing_is_told_nothing(session):
    assert ask_missed_ends(session)
    assert session.inbox.empty()


def test_a_question_without_an_answer_is_asked_again(ari, session):
    ari.said, session.playback_id = BROKEN, "prompt"
    assert not ask_missed_ends(session)
    assert session.inbox.empty()
