"""Lease of a PBX: one worker of several holds it, by the clock of the database."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from callytics.clock import utc_now
from callytics.database.transactions import writing
from callytics.pbx import lease
from callytics.pbx.heartbeat import living_pbxs
from callytics.pbx.lease import Claim, Outcome, Report
from callytics.pbx.models import Pbx
from tests.support.shelf import STARTED_AT, Shelf
from tests.support.tables import all_rows

REPORT = Report(STARTED_AT, None, "22.10.1", "")
ONE = Claim("one", "holder-1", "host-a", 11, "callytics", asterisk="id-1 2026-11-25")
TWO = replace(ONE, holder="holder-2", host="host-b", process=22)


@pytest.fixture
def app(any_env: dict[str, str]) -> Iterator[Flask]:
    app = Shelf.of(any_env).app
    with app.app_context():
        yield app


def take(claim: Claim, **more: Any) -> Outcome:
    return lease.take(claim, REPORT, **more)


def end_leases() -> None:
    with writing() as connection:
        connection.execute(update(Pbx).values(lease_until=utc_now() - timedelta(hours=1)))


def test_a_second_worker_of_the_same_name_gets_it_only_when_it_has_ended(app: Flask) -> None:
    assert take(ONE) == Outcome()
    rival = take(TWO).rival
    assert rival
    assert (rival.holder, rival.host, rival.process) == ("holder-1", "host-a", 11)
    assert lease.renew(ONE, REPORT)
    end_leases()
    assert take(TWO) == Outcome()
    assert not lease.renew(ONE, REPORT)
    assert take(ONE).rival


def test_one_that_ends_its_lease_or_is_dead_is_replaced_at_once(app: Flask) -> None:
    take(ONE)
    lease.release(ONE)
    assert take(TWO) == Outcome()
    assert take(ONE).rival
    assert take(ONE, dead=frozenset({"holder-2"})) == Outcome()
    # Somebody else's release ends nothing.
    lease.release(TWO)
    assert take(TWO).rival


def test_of_many_at_once_one_gets_it(app: Flask) -> None:
    claims = [replace(ONE, holder=f"holder-{number}") for number in range(8)]

    def try_it(claim: Claim) -> Outcome:
        with app.app_context():
            return take(claim)

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(try_it, claims))
    assert [outcome.rival for outcome in outcomes].count(None) == 1


def test_another_name_for_the_same_asterisk_and_application_waits(app: Flask) -> None:
    take(ONE)
    again = replace(TWO, name="two")
    # Its own name is free until it is known which Asterisk it is for.
    assert take(replace(again, asterisk="")) == Outcome()
    rival = take(again).rival
    assert rival
    assert rival.name == "one"
    assert [row.name for row in all_rows(Pbx)] == ["one"]
    for other in (
        replace(again, application="other"),
        replace(again, name="three", holder="holder-3", asterisk="id-1 2026-11-26"),
    ):
        assert take(other) == Outcome()


def test_what_was_the_same_pbx_before_is_taken_over(app: Flask) -> None:
    take(ONE)
    end_leases()
    assert take(replace(TWO, name="two")).predecessors == ("one",)
    with writing() as connection:
        legacy = {"name": "callytics@pbx:8088", "asterisk_version": "22", "problem": ""}
        legacy |= {"started_at": STARTED_AT, "seen_at": STARTED_AT}
        connection.execute(Pbx.__table__.insert().values(legacy))
    new = replace(TWO, name="three", asterisk="", former_name="callytics@pbx:8088")
    assert take(new).predecessors == ("callytics@pbx:8088",)


def test_a_worker_known_to_lead_another_asterisk_is_not_replaced(app: Flask) -> None:
    take(ONE)
    end_leases()
    assert take(TWO, alive="holder-1").rival
    assert take(TWO) == Outcome()


def test_a_host_whose_clock_is_wrong_takes_no_lease_that_goes_on(
    postgres_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with Shelf.of(postgres_env).app.app_context():
        take(ONE)
        tomorrow = utc_now() + timedelta(days=1)
        monkeypatch.setattr("callytics.database.server_clock.utc_now", lambda: tomorrow)
        assert take(TWO).rival
        assert lease.give_up("two", timedelta(minutes=10)) == []


def test_one_that_was_given_up_and_comes_back_lives_again(app: Flask) -> None:
    take(ONE)
    end_leases()
    assert [pbx.name for pbx in lease.give_up("two", timedelta(minutes=10))] == ["one"]
    assert living_pbxs() == []
    assert lease.renew(ONE, REPORT)
    assert [pbx.name for pbx in living_pbxs()] == ["one"]
    assert lease.give_up("two", timedelta(minutes=10)) == []
