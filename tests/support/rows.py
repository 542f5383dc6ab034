"""Rows and files of an installation, read directly from its database and folder."""

import json
import sqlite3
from pathlib import Path
from typing import Any

from callytics.flows import versions
from callytics.flows.document import check
from callytics.settings.settings import set_setting
from tests.support.apps import app_of
from tests.support.waiting import wait_until


def rows(environment: dict[str, str], query: str) -> list[dict[str, Any]]:
    """Return the rows of a query as dicts."""
    connection = sqlite3.connect(environment["DATABASE_URL"].removeprefix("sqlite:///"), timeout=30)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(query)]
    finally:
        connection.close()


def recordings(environment: dict[str, str]) -> list[dict[str, Any]]:
    """Return every recording, oldest first."""
    return rows(environment, "SELECT * FROM recordings ORDER BY id")


def calls(environment: dict[str, str]) -> list[dict[str, Any]]:
    """Return every call, oldest first, its path as a list."""
    found = rows(environment, "SELECT * FROM calls ORDER BY id")
    return [{**call, "path": json.loads(call["path"])} for call in found]


def worker_row(environment: dict[str, str]) -> dict[str, Any]:
    """Return the row of the only PBX, which its worker writes."""
    (row,) = rows(environment, "SELECT * FROM pbxs")
    return row


def ended_calls(environment: dict[str, str], count: int = 1) -> list[dict[str, Any]]:
    """Wait until `count` calls have ended and return them."""

    def ended() -> list[dict[str, Any]]:
        found = [call for call in calls(environment) if call["ended_at"]]
        return found if len(found) >= count else []

    return wait_until(ended, f"{count} calls have ended")


def recordings_in(environment: dict[str, str], state: str, count: int = 1) -> list[dict[str, Any]]:
    """Wait until `count` recordings are in `state` and return them."""

    def there() -> list[dict[str, Any]]:
        found = [row for row in recordings(environment) if row["state"] == state]
        return found if len(found) >= count else []

    return wait_until(there, f"{count} recordings are {state}")


def audio_of(environment: dict[str, str], recording: dict[str, Any]) -> Path:
    """Return the path of a recording's audio."""
    return Path(environment["RECORDINGS_DIR"]) / recording["path"]


def facts_of(environment: dict[str, str], recording: dict[str, Any]) -> dict[str, Any]:
    """Return the facts beside a recording's audio."""
    return json.loads(audio_of(environment, recording).with_suffix(".json").read_text())


def use_flow(
    environment: dict[str, str],
    nodes: dict[str, Any],
    start: str | None = None,
    queues: dict[str, Any] | None = None,
) -> None:
    """Publish a flow of number 1000 that begins with the first of `nodes`."""
    flow = {"numbers": ["1000"], "start": start or next(iter(nodes)), "nodes": nodes}
    document = check({"queues": queues or {}, "flows": {"main": flow}})
    with app_of(environment):
        versions.save(document, "tests")


def use_settings(environment: dict[str, str], **settings: str) -> None:
    """Change settings, as an administrator does."""
    with app_of(environment):
        for key, value in settings.items():
            set_setting(key, value, "tests")
