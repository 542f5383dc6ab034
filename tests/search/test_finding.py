"""Search results: every page and count equals those of a scan of all recordings in Python."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import delete, insert

from callytics.database.engine import db
from callytics.database.paging import PAGE_SIZE
from callytics.recordings import ledger
from callytics.recordings.facts import DIRECTIONS, KINDS, STATES, Facts
from callytics.recordings.models import Recording
from callytics.recordings.search_text import searchable
from callytics.search import access_paths, counting, postgres_trigrams
from callytics.search.counting import Count, extend_count
from callytics.search.engine import SearchPage, find
from callytics.search.filters import Filters
from callytics.search.query_text import needle
from tests.support.shelf import STARTED_AT, Shelf

# Few different values, so that filters match and do not, and recordings share a second.
NAMES = st.sampled_from(["", "Ann", "Änne Ünal", "hannah", 'a"b', "50%", "A_B", "x\ny", "\uff21nn"])
NUMBERS = st.sampled_from(["", "+49301234", "1234", "12", "0049 30 1", "anonymous"])
CALLEES = st.sampled_from(["", "PJSIP/ann", "PJSIP/ben", "Local/100@office"])
TIMES = st.integers(0, 90).map(lambda s: STARTED_AT + timedelta(seconds=s / 3))
LENGTHS = st.none() | st.integers(0, 5).map(lambda s: s * 1000)
FACTS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "direction": st.sampled_from(DIRECTIONS),
        "state": st.sampled_from(STATES),
        "caller_name": NAMES,
        "caller_number": NUMBERS,
        "dialed_number": NUMBERS,
        "callee": CALLEES,
        "flow": st.sampled_from(["", "main", "night"]),
        "started_at": TIMES,
        "duration_ms": LENGTHS,
    }
)
LIBRARIES = st.lists(FACTS, max_size=80)
SEARCHES = st.sampled_from(
    [
        *("", "a", "an", "ann", "ANN", "anne u", "nah", "1", "12", "123", "1234", "49301234"),
        *(" an ", "%", "0%", "50%", "_", "a_b", '"', 'a"b', "\\", "\0", "zzz", "30 1", "pjsip"),
    ]
)
FILTERS = st.builds(
    Filters,
    search=SEARCHES,
    kind=st.sampled_from(["", *KINDS]),
    direction=st.sampled_from(["", *DIRECTIONS]),
    state=st.sampled_from(["", *STATES]),
    flow=st.sampled_from(["", "main", "night", "none"]),
    callee=CALLEES,
    since=st.none() | TIMES.map(lambda at: at.replace(microsecond=0)),
    until=st.none() | TIMES.map(lambda at: at.replace(microsecond=0)),
    min_ms=st.none() | st.integers(0, 6).map(lambda s: s * 1000),
    max_ms=st.none() | st.integers(0, 6).map(lambda s: s * 1000),
    sort=st.sampled_from(["time", "duration"]),
    ascending=st.booleans(),
)
# Most have one or two filters, as people set them; all at once would mostly match nothing.
SOME_FILTERS = st.builds(
    lambda whole, kept: replace(
        Filters(sort=whole.sort, ascending=whole.ascending),
        **{name: getattr(whole, name) for name in kept},
    ),
    FILTERS,
    st.sets(
        st.sampled_from(
            [
                *("search", "kind", "direction", "state", "flow", "callee"),
                *("since", "until", "min_ms", "max_ms"),
            ]
        ),
        max_size=3,
    ),
)


@pytest.fixture
def library(any_env: dict[str, str]) -> Iterator[Shelf]:
    shelf = Shelf.of(any_env)
    with shelf.app.app_context():
        yield shelf


def fill(library: list[dict[str, Any]]) -> None:
    counting._counts.clear()
    postgres_trigrams._chosen.clear()
    with db.engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(delete(Recording))
    with ledger.adding_recordings() as connection:
        for number, facts in enumerate(library):
            kept = Facts(uid=f"r{number}", format="wav", **facts)
            place = ledger.next_id(connection, kept.started_at)
            values = {"id": place, **ledger.recording_values(kept)}
            connection.execute(insert(Recording).values(values))


def plainly_found(library: list[dict[str, Any]], filters: Filters) -> list[str]:
    """Return the uids of all recordings that match, in the order of the list."""
    arrived = [{"uid": f"r{number}", "number": number, **f} for number, f in enumerate(library)]
    kept = [facts for facts in arrived if fits(facts, filters)]

    def place(facts: dict[str, Any]) -> tuple[Any, ...]:
        time = (facts["started_at"].replace(microsecond=0), facts["number"])
        return time if filters.sort == "time" else (facts["duration_ms"], *time)

    return [f["uid"] for f in sorted(kept, key=place, reverse=not filters.ascending)]


def fits(facts: dict[str, Any], filters: Filters) -> bool:
    same = ("kind", "direction", "state", "flow", "callee")
    length = facts["duration_ms"]
    at = facts["started_at"].replace(microsecond=0)
    return (
        all(getattr(filters, name) in ("", facts[name]) for name in same)
        and (filters.since is None or at >= filters.since)
        and (filters.until is None or at < filters.until)
        and (filters.min_ms is None or (length is not None and length >= filters.min_ms))
        and (filters.max_ms is None or (length is not None and length <= filters.max_ms))
        and (filters.sort == "time" or length is not None)
        and needle(filters.search) in searchable(facts)
    )


def uids(page: SearchPage) -> list[str]:
    return [row.uid for row in page.rows]


def walk(filters: Filters) -> tuple[list[SearchPage], list[SearchPage]]:
    """Return all pages forward, and all pages from the last one back."""
    forth = [find(filters)]
    while forth[-1].older:
        forth.append(find(filters, after=forth[-1].older))
    back = [forth[-1]]
    while back[-1].newer:
        back.append(find(filters, before=back[-1].newer))
    return forth, back


# The first as in production, where so few recordings never exceed a budget. The others as with
# ten million recordings.
LIMITS = [(20_000, 2_000, 10_000), (5, 5, 3), (30, 10, 12), (7, 30, 12)]


@pytest.mark.parametrize(("scanned", "fetched", "counted"), LIMITS)
def test_every_page_forth_and_back_is_what_a_plain_look_finds(
    library, monkeypatch, scanned, fetched, counted
):
    monkeypatch.setattr(access_paths, "SCANNED", scanned)
    monkeypatch.setattr(access_paths, "FETCHED", fetched)
    monkeypatch.setattr(access_paths, "INDEXED", 2 * fetched)
    # So few that PostgreSQL's index is used as in a large library, and for frequent trigrams.
    monkeypatch.setattr(
        postgres_trigrams, "SAMPLED", 1 if scanned < 20_000 else postgres_trigrams.SAMPLED
    )
    monkeypatch.setattr(counting, "COUNTED", counted)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(LIBRARIES, st.lists(SOME_FILTERS | FILTERS, min_size=12, max_size=12))
    def check(recordings: list[dict[str, Any]], wishes: list[Filters]) -> None:
        fill(recordings)
        for filters in wishes:
            expected = plainly_found(recordings, filters)
            forth, back = walk(filters)
            assert [uid for page in forth for uid in uids(page)] == expected, filters
            assert all(len(page.rows) == PAGE_SIZE or page.cut_short for page in forth[:-1])
            # The last page back is the first page of the list, which repeats some rows.
            behind = [uid for page in back[::-1] for uid in uids(page)]
            assert behind[-len(expected) :] == expected or uids(back[-1]) == uids(forth[0])
            check_count(forth[0].count, len(expected), counted)
            number = extend_count(filters, seconds=60)
            exact = len(expected) <= counted
            assert (number.number, number.exact) == (min(len(expected), counted), exact)
            # Pages show the same count afterwards.
            assert find(filters).count == number

    check()


def test_counting_ends_in_time_and_says_how_far_it_came(library, monkeypatch) -> None:
    for name in ("SCANNED", "FETCHED", "INDEXED"):
        monkeypatch.setattr(access_paths, name, 5)
    facts = {"kind": "queue", "direction": "inbound", "state": "failed", "duration_ms": 1000}
    names = {"caller_number": "", "dialed_number": "", "callee": "", "flow": ""}
    fill([facts | names | {"caller_name": "Ann", "started_at": STARTED_AT}] * 20)
    filters = Filters(search="ann", min_ms=1000)
    assert find(filters).count == Count(5, False)
    ended = extend_count(filters, seconds=0)
    assert (ended.number, ended.exact, ended.may_go_on) == (5, False, False)
    assert extend_count(filters, seconds=60).number == 20


def test_a_cursor_outside_the_range_of_durations_finds_none_outside_it(library) -> None:
    facts = {"kind": "queue", "direction": "inbound", "state": "available", "callee": ""}
    names = {"caller_number": "", "dialed_number": "", "caller_name": "Ann"}
    lengths = [n * 1000 for n in range(6)]
    fill(
        [
            facts | names | {"started_at": STARTED_AT, "duration_ms": ms, "flow": flow}
            for ms in lengths
            for flow in ("main", "night")
        ]
    )
    for flow in ("", "main"):
        for ascending, cursor in ((False, "9000-1"), (True, "0-1")):
            filters = Filters(
                flow=flow, min_ms=2000, max_ms=3000, sort="duration", ascending=ascending
            )
            everything = uids(find(filters))
            assert len(everything) == (2 if flow else 4)
            assert uids(find(filters, after=cursor)) == everything
            turned = replace(filters, ascending=not ascending)
            assert uids(find(turned, before=cursor)) == uids(find(turned))


def check_count(count: Count, number: int, counted: int) -> None:
    assert count.number <= number
    assert count.number <= counted
    if count.exact:
        assert count.number == number
    if number > counted or access_paths.SCANNED == 20_000:
        assert count.exact == (number <= counted)
