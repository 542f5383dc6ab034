"""Retention by age: deletion of recordings older than the setting."""

from datetime import timedelta
from pathlib import Path

import pytest

from callytics.clock import utc_now
from callytics.config import load_config
from callytics.integrity.inspection import CheckContext
from callytics.integrity.reconcile import FolderError
from callytics.recordings import notes
from callytics.recordings.facts import Facts
from callytics.retention import policy
from callytics.settings.settings import set_setting
from tests.support.shelf import Shelf, wav_bytes
from worker.calls.registry import CallRegistry
from worker.housekeeping import Housekeeping

SOUND = wav_bytes(b"\x40\x01" * 160)


def add(shelf: Shelf, days_old: float, **facts: object) -> Facts:
    return shelf.add(SOUND, started_at=utc_now() - timedelta(days=days_old), **facts)


def delete_expired(shelf: Shelf) -> list[str]:
    context = CheckContext(shelf.storage, lambda facts: False)
    reports = list(policy.delete_expired(context))
    assert not [said for report in reports for said in report.failures]
    return [said for report in reports for said in report.problems]


def test_what_is_too_old_goes_with_its_file_and_its_facts(shelf: Shelf) -> None:
    old, young = add(shelf, 31), add(shelf, 29)
    set_setting("retention_days", "30", "ada")
    assert policy.expired(30) == 1
    assert delete_expired(shelf) == [f"{old.path}: older than 30 days → deleted"]
    assert shelf.row(old) is None
    assert not shelf.path(old).exists()
    assert not (shelf.storage.root / old.facts_path).exists()
    assert shelf.row(young).state == "available"
    assert shelf.path(young).exists()


def test_the_audit_tells_who_deleted_it(shelf: Shelf) -> None:
    old = add(shelf, 31)
    set_setting("retention_days", "30", "ada")
    delete_expired(shelf)
    assert shelf.accesses(old) == [("retention", "delete")]


def test_for_ever_is_for_ever(shelf: Shelf) -> None:
    old = add(shelf, 9000)
    assert policy.expired(0) == 0
    assert delete_expired(shelf) == []
    assert shelf.path(old).exists()


def test_what_somebody_wants_to_keep_stays(shelf: Shelf) -> None:
    kept, other = add(shelf, 31), add(shelf, 31)
    notes.add_tag(kept.uid, "Keep", "ada")
    set_setting("retention_days", "30", "ada")
    assert len(delete_expired(shelf)) == 1
    assert shelf.row(other) is None
    assert shelf.row(kept).state == "available"


def test_what_is_open_is_left_to_its_call(shelf: Shelf) -> None:
    going_on = add(shelf, 31, state="recording")
    set_setting("retention_days", "30", "ada")
    assert delete_expired(shelf) == []
    assert shelf.path(going_on).exists()


def test_many_go_in_several_steps(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "CHUNK", 3)
    for _ in range(7):
        add(shelf, 31)
    set_setting("retention_days", "30", "ada")
    assert len(delete_expired(shelf)) == 7
    assert policy.expired(30) == 0


def test_nothing_is_deleted_while_the_disk_is_not_mounted(shelf: Shelf, tmp_path: Path) -> None:
    old = add(shelf, 31)
    set_setting("retention_days", "30", "ada")
    shelf.storage.root.rename(tmp_path / "elsewhere")
    shelf.storage.root.mkdir()
    with pytest.raises(FolderError):
        delete_expired(shelf)
    assert shelf.row(old).state == "available"
    assert (tmp_path / "elsewhere" / old.path).exists()


def test_a_file_that_cannot_go_does_not_keep_the_others(shelf: Shelf) -> None:
    stuck, other = add(shelf, 32), add(shelf, 31)
    shelf.path(stuck).unlink()
    (shelf.path(stuck) / "in the way").mkdir(parents=True)
    set_setting("retention_days", "30", "ada")
    (report,) = policy.delete_expired(CheckContext(shelf.storage, lambda facts: False))
    assert [said.partition(":")[0] for said in report.failures] == [stuck.path]
    assert shelf.row(other) is None
    assert shelf.row(stuck).state == "available"


def test_the_worker_does_it_by_itself(shelf: Shelf) -> None:
    old = add(shelf, 31)
    set_setting("retention_days", "30", "ada")
    config = load_config(shelf.environment)
    housekeeping = Housekeeping(
        shelf.app, config, shelf.storage, CallRegistry(), "pbx", lambda: True
    )
    housekeeping.run_steps(policy.delete_expired(housekeeping.context))
    assert shelf.row(old) is None
