"""Lost PBX: what it has left open is closed by another worker, which says why."""

import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from callytics.calls.models import Call
from callytics.clock import utc_now
from callytics.database.transactions import writing
from callytics.pbx.models import Pbx
from callytics.queues import membership
from callytics.queues.models import Member, Waiting
from callytics.recordings.models import Recording
from tests.support.pbxs import record_heartbeat
from tests.support.processes import Worker
from tests.support.rows import recordings_in, rows
from tests.support.shelf import Shelf, wav_bytes
from tests.support.stand_in import StandIn
from tests.support.tables import all_rows
from worker.recovery.lost_pbx import give_up

AFTER = timedelta(minutes=10)
HOUR_AGO = utc_now() - timedelta(hours=1)


@pytest.fixture
def shelf(any_env: dict[str, str]) -> Iterator[Shelf]:
    shelf = Shelf.of(any_env)
    with shelf.app.app_context():
        yield shelf


def leave_open(shelf: Shelf, pbx: str, lease_minutes_ago: float) -> None:
    """Let a PBX vanish that had a call, a caller who waited, a member who talked, a recording."""
    at = utc_now() - timedelta(minutes=lease_minutes_ago)
    record_heartbeat(pbx, HOUR_AGO, HOUR_AGO, "22")
    with writing() as connection:
        own = update(Pbx).where(Pbx.name == pbx)
        connection.execute(own.values(seen_at=at, lease_until=at, holder=pbx))
    shelf.add_call(f"{pbx}-call", pbx=pbx, disposition=None, started_at=HOUR_AGO, ended_at=None)
    membership.enter(f"{pbx}-caller", "team", pbx, "15550100", HOUR_AGO)
    membership.claim([f"PJSIP/{pbx}"], f"{pbx}-call", pbx)
    shelf.add(None, uid=f"{pbx}-rec", state="recording", started_at=HOUR_AGO, pbx=pbx)


def test_all_that_a_lost_pbx_has_left_open_is_closed_once(shelf: Shelf) -> None:
    leave_open(shelf, "lost", 11)
    leave_open(shelf, "late", 9)
    leave_open(shelf, "mine", 60)
    assert [pbx.name for pbx in give_up("mine", AFTER)] == ["lost"]
    assert give_up("mine", AFTER) == give_up("late", timedelta(days=1)) == []

    (call,) = [row for row in all_rows(Call) if row.ended_at]
    assert (call.uid, call.disposition) == ("lost-call", "failed")
    assert call.problem.startswith("PBX lost: lost was last seen")
    assert utc_now() - call.ended_at > timedelta(minutes=10)
    assert {row.pbx for row in all_rows(Waiting)} == {"late", "mine"}
    assert {row.pbx for row in all_rows(Member) if row.call_uid} == {"late", "mine"}
    reasons = {row.uid: row.state_reason for row in all_rows(Recording)}
    assert reasons["lost-rec"] == call.problem
    assert reasons["late-rec"] == reasons["mine-rec"] == ""


def test_a_worker_completes_the_recordings_of_a_pbx_that_is_lost(
    app_env: dict[str, str], tmp_path: Path
) -> None:
    shelf = Shelf.of(app_env)
    with shelf.app.app_context():
        leave_open(shelf, "lost", 60)
        open_one = {"state": "recording", "started_at": HOUR_AGO, "pbx": "lost"}
        heard = shelf.add(wav_bytes(b"\1\2" * 8000), **open_one)
    os.utime(shelf.path(heard), times=(HOUR_AGO.timestamp(),) * 2)
    with StandIn(Path(app_env["RECORDINGS_DIR"])) as ari:
        environment = {**app_env, "ARI_URL": ari.url, "PBX_NAME": "mine"}
        with Worker(environment, tmp_path):
            (failed,) = recordings_in(app_env, "failed")
            (available,) = recordings_in(app_env, "available")
    assert (failed["uid"], available["uid"]) == ("lost-rec", heard.uid)
    for row in (failed, available):
        assert row["state_reason"].startswith("PBX lost: lost was last seen")
    (call,) = rows(app_env, "SELECT * FROM calls")
    assert call["ended_at"]
