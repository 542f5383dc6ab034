"""Facts of a recording: the same in the facts file, in the row and in `--json`."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from callytics.clock import utc_now
from callytics.identifiers import new_uid
from callytics.recordings.facts import DIRECTIONS, KINDS, STATES, Facts
from callytics.recordings.models import Recording
from callytics.recordings.pauses import PausedSpan, closed, is_paused

NOW = datetime(2026, 11, 22, 23, 59, 59, 250_000, tzinfo=UTC)
text = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30)
times = st.datetimes(datetime(1970, 1, 2), datetime(9000, 1, 1), timezones=st.just(UTC))
names = st.text(alphabet=st.characters(exclude_categories=["C", "Z"]), max_size=30)
any_span = st.builds(
    lambda ended_after, **values: PausedSpan(
        **values, ended_at=ended_after and values["began_at"] + ended_after
    ),
    ended_after=st.none() | st.timedeltas(timedelta(0), timedelta(days=2)),
    began_at=times,
    by=names,
    at_ms=st.none() | st.integers(0, (1 << 31) - 1),
    resumed_by=names,
    by_itself=st.booleans(),
)
any_facts = st.builds(
    Facts,
    uid=st.from_regex(r"[0-9a-f]{20}", fullmatch=True),
    kind=st.sampled_from(KINDS),
    direction=st.sampled_from(DIRECTIONS),
    state=st.sampled_from(STATES),
    started_at=times,
    format=st.sampled_from(["wav", "ulaw"]),
    call_uid=text,
    state_reason=text,
    caller_number=text,
    caller_name=text,
    dialed_number=text,
    callee=text,
    flow=text,
    node=text,
    ended_at=st.none() | times,
    duration_ms=st.none() | st.integers(0, 1 << 40),
    size_bytes=st.none() | st.integers(0, 1 << 50),
    sha256=st.none() | text,
    pauses=st.lists(any_span, max_size=4).map(tuple),
)


def facts(**changes: Any) -> Facts:
    usual = {"uid": "a1", "kind": "queue", "direction": "inbound", "state": "requested"}
    return Facts(**{**usual, "started_at": NOW, "format": "wav", **changes})


@settings(deadline=None)
@given(any_facts)
def test_facts_are_read_back_as_they_were_written(written: Facts) -> None:
    assert Facts.from_json(written.to_json()) == written


@settings(deadline=None)
@given(any_facts)
def test_every_fact_is_a_column_of_the_row(written: Facts) -> None:
    columns = {column.name for column in Recording.__table__.columns}
    assert set(written.to_row()) == columns - {"id", "peaks", "search_text"}


def test_the_place_is_the_day_in_utc_and_the_name_that_asterisk_is_told() -> None:
    recording = facts()
    assert recording.name == "2026/11/22/a1"
    assert recording.path == "2026/11/22/a1.wav"
    assert recording.facts_path == "2026/11/22/a1.json"
    assert recording.to_row()["path"] == recording.path


def test_the_file_says_its_path_and_times_for_whoever_reads_it() -> None:
    values = json.loads(facts().to_json())
    assert values["path"] == "2026/11/22/a1.wav"
    assert values["started_at"] == "2026-11-22T23:59:59.250000+00:00"


def test_a_time_in_another_zone_is_read_as_the_same_moment_in_utc() -> None:
    berlin = NOW.astimezone(timezone(timedelta(hours=1)))
    read = Facts.from_json(facts(started_at=berlin).to_json())
    assert read.started_at == NOW
    assert read.started_at.tzinfo is UTC
    assert read.path == "2026/11/22/a1.wav"


def test_what_a_later_version_adds_is_passed_over() -> None:
    values = {**json.loads(facts().to_json()), "mood": "good"}
    assert Facts.from_json(json.dumps(values)) == facts()


def changed(**changes: Any) -> str:
    return json.dumps({**json.loads(facts().to_json()), **changes})


def paused(**changes: Any) -> str:
    span = PausedSpan(NOW, "ada", 1000, NOW).to_values()
    return changed(pauses=[{**span, **changes}])


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"\xff\xfe\xff",
        "[]",
        "null",
        "7",
        '"text"',
        "{}",
        "[" * 100_000,
        changed(kind="gossip"),
        changed(state=None),
        changed(state=["available"]),
        changed(direction=7),
        changed(format="exe"),
        changed(started_at="yesterday"),
        changed(started_at=None),
        changed(started_at=1),
        changed(started_at="0001-01-01T00:00:00+23:59"),
        changed(ended_at="soon"),
        changed(caller_name=["Ann"]),
        changed(caller_name=None),
        changed(flow=7),
        changed(duration_ms="long"),
        changed(duration_ms=1.5),
        changed(duration_ms=True),
        changed(size_bytes=-1),
        changed(uid=""),
        changed(uid="../../etc/passwd"),
        changed(uid=None),
        changed(sha256=7),
        changed(pauses="often"),
        changed(pauses={"at_ms": 1}),
        changed(pauses=[7]),
        changed(pauses=[{}]),
        paused(at_ms=-1),
        paused(at_ms=1.5),
        paused(at_ms=True),
        paused(at_ms=1 << 40),
        paused(by=None),
        paused(began_at="2026-11-22T23:59:59"),
        paused(began_at=None),
        paused(ended_at="2026-11-22T23:59:58+00:00"),
        paused(by_itself="yes"),
    ],
)
def test_facts_that_are_not_usable_are_refused_with_a_reason(wrong: str | bytes) -> None:
    with pytest.raises(ValueError, match="not the facts of a recording"):
        Facts.from_json(wrong)


@settings(deadline=None)
@given(st.text() | st.binary())
def test_no_file_fails_otherwise_than_as_not_usable(content: str | bytes) -> None:
    with pytest.raises(ValueError):
        Facts.from_json(content)


def test_changing_facts_leaves_the_first_as_they_were() -> None:
    before = facts()
    assert before.but(state="failed").state == "failed"
    assert before.state == "requested"


def test_names_are_never_given_twice() -> None:
    names = {new_uid() for _ in range(1000)}
    assert len(names) == 1000
    assert all(len(name) == 20 and name.isalnum() for name in names)


def test_the_present_has_a_zone() -> None:
    assert utc_now().utcoffset() == timedelta(0)


def test_facts_from_before_there_were_pauses_are_read() -> None:
    values = json.loads(facts().to_json())
    del values["pauses"]
    assert Facts.from_json(json.dumps(values)) == facts()


@settings(deadline=None)
@given(any_facts, times, st.none() | st.integers(0, 1 << 31))
def test_what_is_over_has_no_pause_that_goes_on_or_lies_behind_its_end(
    written: Facts, ended_at: datetime, duration_ms: int | None
) -> None:
    spans = closed(written.pauses, ended_at, duration_ms)
    assert len(spans) == sum(span.at_ms is not None for span in written.pauses)
    assert not is_paused(spans)
    for span in spans:
        assert span.ended_at is not None and span.began_at <= span.ended_at
        assert span.at_ms is not None and span.at_ms <= (duration_ms or 1 << 31)
    assert Facts.from_json(written.but(pauses=spans).to_json()).pauses == spans


def test_whoever_reads_the_file_sees_when_and_where_it_was_paused_and_by_whom() -> None:
    span = PausedSpan(NOW, "ada", 63_000).ended(NOW + timedelta(seconds=14), "rita")
    assert json.loads(facts(pauses=(span,)).to_json())["pauses"] == [
        {
            "began_at": "2026-11-22T23:59:59.250000+00:00",
            "by": "ada",
            "at_ms": 63_000,
            "ended_at": "2026-11-23T00:00:13.250000+00:00",
            "resumed_by": "rita",
            "by_itself": False,
        }
    ]
