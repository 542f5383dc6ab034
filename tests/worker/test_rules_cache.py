"""Rules cache: what was read last is kept on disk, for a worker without its database."""

from collections.abc import Callable
from pathlib import Path

import gevent
from flask import Flask

from callytics.flows import versions
from callytics.flows.document import check
from callytics.settings.settings import set_setting
from callytics.storage.folder import Storage
from tests.support.apps import new_app
from worker.persistence.outbox import Outbox
from worker.persistence.rules_cache import RulesCache

PROMPT = {"type": "play_audio", "media": "sound:hi"}
FLOW = {"numbers": ["7"], "start": "hi", "nodes": {"hi": PROMPT}}


def wait_until(predicate: Callable[[], bool], what: str) -> None:
    """Wait while greenlets run, which write the file."""
    with gevent.Timeout(60, AssertionError(what)):
        while not predicate():
            gevent.sleep(0.01)


def test_the_next_worker_begins_with_the_flows_and_settings_read_last(
    app: Flask, app_env: dict[str, str], tmp_path: Path
) -> None:
    storage = Storage(Path(app_env["RECORDINGS_DIR"]))
    rules = RulesCache(Outbox(app), storage, "office")
    file = storage.root / ".rules/office.json"
    versions.save(check({"flows": {"main": FLOW}}), "ada")
    assert list(rules.document().flows) == ["main"]
    wait_until(lambda: file.exists() and "sound:hi" in file.read_text(), "the flows are kept")
    # A change of the settings alone is kept too.
    set_setting("longest_pause_seconds", "77", "ada")
    assert rules.settings()["longest_pause_seconds"] == "77"
    wait_until(lambda: '"77"' in file.read_text(), "the settings are kept")

    away = new_app({**app_env, "DATABASE_URL": f"sqlite:///{tmp_path}/nowhere/none.db"})
    following = RulesCache(Outbox(away), storage, "office")
    assert following.settings()["longest_pause_seconds"] == "77"
    assert list(following.document().flows) == ["main"]
