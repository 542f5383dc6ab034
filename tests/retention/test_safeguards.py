"""Safeguards of retention: an implausible clock or number deletes nothing until confirmed."""

from datetime import datetime, timedelta

import gevent
import pytest

from callytics.audit.admin_changes import changes_of
from callytics.clock import utc_now
from callytics.config import load_config
from callytics.integrity.inspection import CheckContext
from callytics.recordings import notes
from callytics.recordings.facts import Facts
from callytics.recordings.facts_files import write_kept
from callytics.retention import policy, runs, safeguards
from callytics.settings.settings import set_setting
from tests.support.command import flask
from tests.support.shelf import Shelf, wav_bytes
from worker import housekeeping
from worker.calls.registry import CallRegistry
from worker.housekeeping import Housekeeping

SOUND = wav_bytes(b"\x40\x01" * 160)


def add(shelf: Shelf, days_old: float, count: int = 1) -> list[Facts]:
    at = utc_now() - timedelta(days=days_old)
    return [shelf.add(SOUND, started_at=at + timedelta(seconds=n)) for n in range(count)]


def delete_expired(shelf: Shelf, **options: object) -> list[str]:
    context = CheckContext(shelf.storage, lambda facts: False)
    reports = list(policy.delete_expired(context, **options))
    assert not [said for report in reports for said in report.failures]
    return [said for report in reports for said in report.problems]


@pytest.fixture
def years_ahead(monkeypatch: pytest.MonkeyPatch) -> datetime:
    """Set the clock of retention ten years ahead, as a machine with an empty battery does."""
    late = utc_now() + timedelta(days=3653)
    for module in (policy, runs):
        monkeypatch.setattr(module, "utc_now", lambda: late)
    return late


def everything_is_there(shelf: Shelf, recordings: list[Facts]) -> bool:
    return all(shelf.row(facts) and shelf.path(facts).exists() for facts in recordings)


@pytest.mark.parametrize("count", [3, 60])
def test_a_clock_ten_years_ahead_deletes_nothing(shelf, years_ahead, count) -> None:
    recordings = add(shelf, 3, count)
    set_setting("retention_days", "30", "ada")
    with pytest.raises(policy.RetentionRefused, match=r"the clock (says|of this host)"):
        delete_expired(shelf)
    assert everything_is_there(shelf, recordings)
    refused = runs.newest_refusal()
    assert refused is not None
    assert (refused.expired, refused.deleted) == (count, 0)


def test_new_calls_do_not_make_a_clock_plausible_that_jumped_since_the_last_run(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = add(shelf, 3, 3)
    set_setting("retention_days", "30", "ada")
    assert delete_expired(shelf) == []
    late = utc_now() + timedelta(days=3653)
    for module in (policy, runs):
        monkeypatch.setattr(module, "utc_now", lambda: late)
    recordings += [shelf.add(SOUND, started_at=late) for _ in range(9)]
    with pytest.raises(policy.RetentionRefused, match=r"the last run was at|that of the database"):
        delete_expired(shelf)
    assert everything_is_there(shelf, recordings)


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(("more", "is_believed"), [(-HOUR, True), (HOUR, False)])
@pytest.mark.parametrize("has_run", [True, False])
def test_a_clock_is_believed_until_the_longest_pause(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, has_run: bool, more: timedelta, is_believed: bool
) -> None:
    monkeypatch.setattr(safeguards, "_database_now", lambda: None)
    add(shelf, 0)
    if has_run:
        set_setting("retention_days", "30", "ada")
        assert delete_expired(shelf) == []
    longest = safeguards.LONGEST_PAUSE if has_run else safeguards.LONGEST_SILENCE
    problem = safeguards.clock_problem(utc_now() + longest + more, None)
    assert (problem == "") is is_believed
    assert is_believed or ("the last run" if has_run else "the newest recording") in problem


@pytest.mark.parametrize(("more", "is_believed"), [(-HOUR / 60, True), (HOUR / 60, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_clock_is_believed_within_the_tolerance(
    shelf: Shelf, sign: int, more: timedelta, is_believed: bool
) -> None:
    now = utc_now()
    theirs = now + sign * (safeguards.CLOCK_TOLERANCE + more)
    assert (safeguards.other_clock_problem(now, theirs) == "") is is_believed


@pytest.mark.parametrize(
    ("expired", "total", "is_refused"),
    [(20, 20, False), (21, 84, False), (22, 87, True), (21, 83, True)],
)
def test_a_share_is_refused_above_its_limit_and_above_a_few(expired, total, is_refused) -> None:
    assert bool(safeguards.share_problem(expired, total, 25)) is is_refused


def test_a_clock_that_is_not_that_of_asterisk_deletes_nothing(shelf: Shelf) -> None:
    recordings = add(shelf, 31)
    set_setting("retention_days", "30", "ada")
    theirs = utc_now() - timedelta(hours=2)
    with pytest.raises(policy.RetentionRefused, match="that of Asterisk"):
        delete_expired(shelf, asterisk_now=lambda: theirs)
    assert everything_is_there(shelf, recordings)
    assert len(delete_expired(shelf, asterisk_now=utc_now)) == 1


def test_a_clock_that_is_not_that_of_the_database_deletes_nothing(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    recordings = add(shelf, 31)
    set_setting("retention_days", "30", "ada")
    theirs = utc_now() - timedelta(hours=2)
    monkeypatch.setattr(safeguards, "_database_now", lambda: theirs)
    with pytest.raises(policy.RetentionRefused, match="that of the database"):
        delete_expired(shelf)
    assert everything_is_there(shelf, recordings)


def test_a_run_that_would_delete_more_than_the_share_waits_for_a_person(shelf: Shelf) -> None:
    old, young = add(shelf, 31, 30), add(shelf, 1, 30)
    set_setting("retention_days", "30", "ada")
    with pytest.raises(policy.RetentionRefused, match="30 of 60 recordings would be deleted"):
        delete_expired(shelf)
    assert everything_is_there(shelf, old + young)
    set_setting("retention_largest_share", "50", "ada")
    assert len(delete_expired(shelf)) == 30
    assert everything_is_there(shelf, young)


def test_a_confirmation_is_for_what_was_shown_and_for_one_run(shelf: Shelf) -> None:
    old, young = add(shelf, 32, 30), add(shelf, 29, 30)
    set_setting("retention_days", "30", "ada")
    with pytest.raises(policy.RetentionRefused):
        delete_expired(shelf)
    refused = runs.newest_refusal()
    assert refused is not None
    # Somebody shortens the time between the page and the run: the rest was not confirmed.
    assert runs.confirm(refused.id, "ada")
    set_setting("retention_days", "7", "ada")
    assert len(delete_expired(shelf)) == 30
    assert [shelf.row(facts) for facts in old] == [None] * 30
    assert everything_is_there(shelf, young)
    assert not runs.confirm(refused.id, "ada")
    with pytest.raises(policy.RetentionRefused):
        delete_expired(shelf)
    assert changes_of("setting", 9)[1].thing == "setting retention run"


def test_the_worker_goes_on_once_it_is_confirmed(shelf: Shelf, years_ahead: datetime) -> None:
    (old,) = add(shelf, 3)
    set_setting("retention_days", "30", "ada")
    config = load_config(shelf.environment)
    housekeeping = Housekeeping(
        shelf.app, config, shelf.storage, CallRegistry(), "pbx", lambda: True
    )
    housekeeping.delete_expired()
    assert everything_is_there(shelf, [old])
    refused = runs.newest_refusal()
    assert refused is not None
    runs.confirm(refused.id, "ada")
    housekeeping.delete_expired()
    assert shelf.row(old) is None


def test_the_worker_does_not_wait_for_the_next_day_once_it_is_confirmed(
    shelf: Shelf, years_ahead: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses = {"FIRST_FULL_SECONDS": 0.0, "MINUTE_SECONDS": 0.05, "CHUNK_PAUSE_SECONDS": 0.0}
    for name, seconds in pauses.items():
        monkeypatch.setattr(housekeeping, name, seconds)
    (old,) = add(shelf, 3)
    set_setting("retention_days", "30", "ada")
    config = load_config(shelf.environment)
    worker = Housekeeping(shelf.app, config, shelf.storage, CallRegistry(), "pbx", lambda: True)
    daily = gevent.spawn(worker.run_daily)
    try:
        with gevent.Timeout(60, AssertionError("the run is refused, then carried out")):
            while (refused := runs.newest_refusal()) is None:
                gevent.sleep(0.01)
            assert everything_is_there(shelf, [old])
            assert runs.confirm(refused.id, "ada")
            while shelf.row(old):
                gevent.sleep(0.01)
    finally:
        daily.kill()


def test_the_command_says_why_and_deletes_with_yes(shelf: Shelf) -> None:
    old = add(shelf, 31, 30)
    set_setting("retention_days", "30", "ada")
    refused = flask(shelf.environment, "retention", "run", check=False)
    assert refused.returncode == 1
    assert "30 of 30 recordings would be deleted" in refused.stderr
    assert "30 would be deleted now" in flask(shelf.environment, "retention", "status").stdout
    done = flask(shelf.environment, "retention", "run", "--yes")
    assert done.stdout.splitlines()[-1] == "30 deleted."
    assert shelf.row(old[0]) is None


def test_what_is_kept_stands_in_the_facts_for_a_database_from_before_the_tag(
    shelf: Shelf,
) -> None:
    kept, other = add(shelf, 31, 2)
    write_kept(shelf.storage, kept.path, keep=True)
    set_setting("retention_days", "30", "ada")
    assert len(delete_expired(shelf)) == 1
    assert shelf.row(other) is None
    assert everything_is_there(shelf, [kept])
    assert [tag.tag for tag in notes.annotations_of(kept.uid).tags] == ["keep"]
