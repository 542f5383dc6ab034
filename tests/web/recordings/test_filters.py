"""The library's address: what it asks for, what is wrong with it, and what the page says then."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import given, strategies as st

from callytics.clock import utc_now
from callytics.web.recordings.search_form import NAMES, parse_search
from tests.support.pages import HTMX, PageClient, text_of
from tests.support.pbxs import record_heartbeat
from tests.support.shelf import STARTED_AT, Shelf

NOW = datetime(2026, 3, 30, 1, 30, tzinfo=UTC)
ROW = re.compile(r'<tbody id="rec-([0-9a-z]+)"')


@pytest.fixture
def rita(shelf: Shelf) -> PageClient:
    with shelf.app.app_context():
        record_heartbeat("worker", utc_now(), utc_now(), "22.10.1")
    return shelf.client("rita")


def add(shelf: Shelf, caller: str, **more) -> str:
    given = {"caller_name": caller, "state": "failed", "started_at": STARTED_AT, **more}
    return shelf.add(None, **given).uid


def found(client: PageClient, **query: str) -> list[str]:
    page = client.get(f"/recordings?{urlencode(query)}")
    assert page.status_code == 200, text_of(page)
    return ROW.findall(page.get_data(as_text=True))


def test_each_filter_narrows_and_they_combine(shelf, rita):
    ann = add(shelf, "Ann", kind="queue", flow="main", callee="PJSIP/eva", duration_ms=60_000)
    ben = add(shelf, "Ben", kind="queue", flow="night", duration_ms=9_400, state="missing")
    out = add(shelf, "Cid", kind="outbound", direction="outbound", dialed_number="0049301")
    assert found(rita) == [out, ben, ann]
    for query, expected in (
        ({"q": "ann"}, [ann]),
        ({"q": "EVA"}, [ann]),
        ({"q": "9301"}, [out]),
        ({"q": "b"}, [ben]),
        ({"kind": "queue"}, [ben, ann]),
        ({"kind": "queue", "state": "missing"}, [ben]),
        ({"direction": "outbound"}, [out]),
        ({"flow": "night"}, [ben]),
        ({"callee": "PJSIP/eva"}, [ann]),
        ({"min_seconds": "9"}, [ben, ann]),
        ({"min_seconds": "10"}, [ann]),
        ({"max_seconds": "9"}, [ben]),
        ({"sort": "oldest"}, [ann, ben, out]),
        ({"sort": "longest"}, [ann, ben]),
        ({"sort": "shortest", "kind": "queue"}, [ben, ann]),
    ):
        assert found(rita, **query) == expected, query


def test_days_are_those_of_the_reader(shelf, rita):
    late = add(shelf, "late", started_at=datetime(2026, 11, 22, 23, 30, tzinfo=UTC))
    early = add(shelf, "early", started_at=datetime(2026, 11, 22, 0, 30, tzinfo=UTC))
    assert found(rita, **{"from": "2026-11-22", "to": "2026-11-22"}) == [late, early]
    berlin = {"tz": "Europe/Berlin"}
    assert found(rita, **{"from": "2026-11-22", "to": "2026-11-22"}, **berlin) == [early]
    assert found(rita, **{"from": "2026-11-23"}, **berlin) == [late]
    page = rita.get("/recordings?from=2026-11-23")
    assert "Days are those of UTC" in text_of(page)


def test_a_preset_is_whole_days_also_when_the_clock_is_changed():
    # Half past three on the Monday after summer time has begun.
    form = parse_search({"when": "yesterday", "tz": "Europe/Berlin"}, NOW)
    assert form.filters.since == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert form.filters.until - form.filters.since == timedelta(hours=23)
    assert parse_search({"when": "last7"}, NOW).filters.since == datetime(2026, 3, 24, tzinfo=UTC)


def test_a_preset_and_days_combine():
    form = parse_search({"when": "last7", "from": "2026-03-29", "to": "2026-04-29"}, NOW)
    assert form.filters.since == datetime(2026, 3, 29, tzinfo=UTC)
    assert form.filters.until == datetime(2026, 3, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "label"),
    [
        ("kind=nonsense", "Kind"),
        ("state=&state=x&state=y", None),
        ("direction=north", "Direction"),
        ("when=tomorrow", "When"),
        ("from=2026-02-30", "First day"),
        ("to=yesterday", "Last day"),
        ("from=1815-01-01", "First day"),
        ("from=2026-02-02&to=2026-02-01", "First day"),
        ("min_seconds=-1", "Shortest"),
        ("max_seconds=1e3", "Longest"),
        ("min_seconds=%D9%A1", "Shortest"),
        ("min_seconds=9&max_seconds=8", "Shortest"),
        ("sort=sideways", "Order"),
        ("tz=Mars/Base", "Time zone"),
        ("tz=../../etc/passwd", "Time zone"),
        (f"q={'x' * 201}", "Search"),
        ("q=%00", None),
        ("flow=a%00b%1b", None),
    ],
)
def test_what_cannot_be_understood_is_named_and_nothing_typed_is_lost(rita, query, label):
    page = rita.get(f"/recordings?callee=PJSIP/keep&{query}", follow_redirects=True)
    if label is None:
        assert page.status_code == 200
        return
    assert page.status_code == 400
    assert label in text_of(page)
    assert "What was typed is still there" in text_of(page)
    assert 'value="PJSIP/keep"' in page.get_data(as_text=True)
    message = rita.get(f"/recordings?{query}", headers=HTMX)
    assert message.status_code == 400
    assert label in text_of(message)


def test_fields_that_were_left_empty_leave_the_address(rita):
    answer = rita.get("/recordings?q=&kind=queue&state=&from=&tz=Europe/Berlin&sort=")
    assert (answer.status_code, answer.location) == (302, "/recordings?kind=queue")


@given(st.dictionaries(st.sampled_from(NAMES), st.text(max_size=30)))
def test_whatever_is_typed_is_understood_or_refused_in_words(typed):
    form = parse_search(typed, NOW)
    assert form.problems or parse_search(form.query, NOW).filters == form.filters


def test_the_count_is_said_and_each_filter_can_be_taken_away(shelf, rita):
    add(shelf, "Ann", kind="queue")
    add(shelf, "Ann", kind="voicemail")
    page = rita.get("/recordings?q=ann&kind=queue")
    assert "1 recording " in text_of(page)
    assert 'data-clears="q" href="/recordings?kind=queue"' in page.get_data(as_text=True)
    assert "2 recordings" in text_of(rita.get("/recordings?q=ann"))


def test_when_nothing_fits_the_page_says_which_filter_to_loosen(shelf, rita):
    add(shelf, "Ann", kind="queue")
    add(shelf, "Ben", kind="voicemail")
    page = rita.get("/recordings?q=ann&kind=voicemail&direction=inbound")
    assert "No recording fits" in text_of(page)
    assert "Without “ann” 1" in text_of(page)
    assert "Without Voicemail 1" in text_of(page)
    assert "Without Inbound" not in text_of(page)
    assert "Clear all filters" in text_of(page)
    assert "No recordings yet" not in text_of(page)


def test_the_address_follows_what_htmx_shows(rita):
    def header(query: str, was: str) -> tuple[str | None, str | None]:
        answer = rita.get(
            f"/recordings?{query}",
            headers={**HTMX, "HX-Current-URL": f"http://localhost/recordings?{was}"},
        )
        return answer.headers.get("HX-Push-Url"), answer.headers.get("HX-Replace-Url")

    # The first letter is a step that Back undoes, the next ones are not.
    assert header("q=a&kind=&tz=UTC", "") == ("/recordings?q=a", None)
    assert header("q=an&kind=", "q=a") == (None, "/recordings?q=an")
    assert header("q=an&kind=queue", "q=an") == ("/recordings?q=an&kind=queue", None)
    assert header("q=&kind=", "q=an") == ("/recordings", None)
    assert header("q=an", "q=an") == (None, "/recordings?q=an")


def test_going_back_gives_the_whole_page(rita):
    page = rita.get("/recordings?q=a", headers={**HTMX, "HX-History-Restore-Request": "true"})
    assert "<h1" in page.get_data(as_text=True)


def test_pages_of_a_search_stay_within_it(shelf, rita):
    for number in range(30):
        add(shelf, "Ann" if number % 15 else "Ben", started_at=STARTED_AT)
    page = rita.get("/recordings?q=ann").get_data(as_text=True)
    older = re.search(r'rel="next" href="([^"]+)"', page)
    assert older
    rest = rita.get(older[1].replace("&amp;", "&"))
    assert len(ROW.findall(rest.get_data(as_text=True))) == 3
    assert "28 recordings" in text_of(rest)


def test_all_that_match_are_those_of_the_list_and_no_others(shelf):
    ada = shelf.client("ada")
    ann, ben = add(shelf, "Ann"), add(shelf, "Ben")
    sheet = ada.send("/recordings/many/export?q=ann", {"all": "yes"}).get_data(as_text=True)
    assert ann in sheet
    assert ben not in sheet
    question = ada.send("/recordings/many/delete?q=ann", {"all": "yes"})
    upto = re.search(r'name="upto" value="(\d+)"', question.get_data(as_text=True))
    assert upto
    form = {"all": "yes", "upto": upto[1], "confirmed": "yes", "total": "1"}
    ada.send("/recordings/many/delete?q=ann", form)
    assert found(ada) == [ben]
    assert ada.send("/recordings/many/export?kind=no", {"all": "yes"}).status_code == 400


# Saved searches


def test_a_view_is_saved_under_a_name_used_and_forgotten(shelf, rita):
    form = {"name": "  Queue  today ", "query": "when=today&kind=queue&after=5&x=1"}
    answer = rita.send("/searches", form)
    assert (answer.status_code, answer.location) == (303, "/recordings?kind=queue&when=today")
    page = rita.get("/recordings")
    assert 'href="/recordings?kind=queue&amp;when=today">Queue today<' in page.get_data(
        as_text=True
    )
    assert "Queue today" not in text_of(shelf.client("ada").get("/recordings"))
    forget = re.search(r'action="(/searches/\d+/forget)"', page.get_data(as_text=True))
    assert forget
    assert shelf.client("ada").send(forget[1]).status_code == 303
    assert "Queue today" in text_of(rita.get("/recordings")), "it is nobody else's to forget"
    assert rita.send(forget[1]).status_code == 303
    rita.get("/recordings")
    assert "Queue today" not in text_of(rita.get("/recordings"))


def test_a_name_that_is_used_again_means_the_new_view(rita):
    for query in ("kind=queue", "kind=voicemail"):
        rita.send("/searches", {"name": "mine", "query": query})
    rita.get("/recordings")
    page = rita.get("/recordings").get_data(as_text=True)
    assert page.count(">mine<") == 1
    assert "/recordings?kind=voicemail" in page


@pytest.mark.parametrize("name", ["", " ", "x" * 61])
def test_a_view_without_a_usable_name_is_not_saved(rita, name):
    rita.send("/searches", {"name": name, "query": "kind=queue"})
    assert "must have 1 to 60 characters" in text_of(rita.get("/recordings"))


def test_a_view_that_is_nonsense_is_the_whole_library(rita):
    answer = rita.send("/searches", {"name": "odd", "query": "kind=nonsense"})
    assert answer.location == "/recordings"
