"""Housekeeping: recordings that the worker completes by itself, beside the calls."""

import os
from datetime import timedelta
from pathlib import Path

from callytics.clock import utc_now
from callytics.identifiers import new_uid
from callytics.recordings import ledger
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import write_facts
from callytics.storage.folder import Storage
from tests.support.apps import app_of
from tests.support.processes import Worker
from tests.support.rows import recordings_in
from tests.support.tones import write_tone

Env = dict[str, str]


def left_open(environment: Env) -> Facts:
    """Add a recording that an earlier worker left open: row, facts and audio, but no journal."""
    began = utc_now() - timedelta(hours=1)
    facts = Facts(new_uid(), "transfer", "inbound", "recording", began, "wav")
    folder = Path(environment["RECORDINGS_DIR"])
    write_facts(Storage(folder), facts)
    write_tone(folder / facts.path, 440, 3.0)
    for path in (facts.path, facts.facts_path):
        os.utime(folder / path, (began.timestamp(), began.timestamp()))
    with app_of(environment):
        ledger.save_recording(facts)
    return facts


def test_a_recording_that_nobody_leads_is_completed_at_the_connect(
    live_env: Env, tmp_path: Path
) -> None:
    facts = left_open(live_env)
    with Worker(live_env, tmp_path):
        (row,) = recordings_in(live_env, "available")
    assert row["uid"] == facts.uid
    assert row["duration_ms"] == 3000
    assert row["sha256"]
