"""Fixtures for tests of calls: a worker with a stand-in, a recorded conversation, a ledger."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from tests.support.apps import new_app
from tests.support.asterisk import AsteriskServer
from tests.support.processes import Install, Worker

if TYPE_CHECKING:
    from tests.support.stage import Stage
    from tests.support.talking import Talk

# What they use is imported by the tests of calls alone: most test processes begin without.


@pytest.fixture
def app(app_env: dict[str, str]) -> Iterator[Flask]:
    """Application of a new installation, in its context."""
    app = new_app(app_env)
    with app.app_context():
        yield app


@pytest.fixture(scope="module")
def stage(install: Install, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Stand-in and worker for all tests of a module, none of which may leave a fault behind."""
    from tests.support.stage import set_stage

    folder = tmp_path_factory.mktemp("stage")
    with set_stage(install(folder), folder) as stage:
        yield stage


@pytest.fixture
def talk(asterisk: AsteriskServer, live_env: dict[str, str], worker_process: Worker) -> Talk:
    """Recorded conversation on the real Asterisk."""
    from tests.support.talking import begin_talk

    return begin_talk(asterisk, live_env)
