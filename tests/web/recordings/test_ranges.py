"""Byte ranges of a `Range` header, and preconditions on the version of a file."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st
from werkzeug.datastructures import Headers

from callytics.web.recordings.byte_ranges import (
    FileVersion,
    UnsatisfiableError,
    if_range_matches,
    precondition,
    requested_range,
)


@pytest.mark.parametrize(
    ("header", "length", "expected"),
    [
        ("bytes=0-", 100, (0, 100)),
        ("bytes=0-0", 100, (0, 1)),
        ("bytes=10-19", 100, (10, 20)),
        ("bytes=99-", 100, (99, 100)),
        ("bytes=90-5000", 100, (90, 100)),
        ("bytes=-1", 100, (99, 100)),
        ("bytes=-100", 100, (0, 100)),
        ("bytes=-5000", 100, (0, 100)),
        ("bytes=007-0009", 100, (7, 10)),
        ("BYTES=1-2", 100, (1, 3)),
        ("bytes= 1-2 ,", 100, (1, 3)),
        ("bytes=,,1-2", 100, (1, 3)),
        ("bytes=200-,1-2", 100, (1, 3)),
        ("bytes=-0,1-2", 100, (1, 3)),
    ],
)
def test_one_part_that_can_be_had_is_given(header: str, length: int, expected) -> None:
    assert requested_range(header, length) == expected


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "bytes",
        "bytes=",
        "bytes=-",
        "bytes=,",
        "bytes=a-b",
        "bytes=1",
        "bytes=5-1",
        "bytes=1-2-3",
        "bytes=--1",
        "bytes=+1-2",
        "bytes=0x1-2",
        "bytes=1 - 2",
        "bytes=1-2;3-4",
        "bytes=\u0661-\u0662",
        "bytes=1-2,x",
        "seconds=1-2",
        "bytes 1-2",
        "bytes=" + "9" * 5000 + "-",
        "bytes=0-" + "9" * 19,
    ],
)
def test_a_header_that_is_not_understood_gives_everything(header: str | None) -> None:
    assert requested_range(header, 100) is None


@pytest.mark.parametrize("header", ["bytes=0-1,3-4", "bytes=0-,0-", "bytes=0-0,-1"])
def test_several_parts_give_everything(header: str) -> None:
    assert requested_range(header, 100) is None


def test_thousands_of_parts_are_not_even_read() -> None:
    assert requested_range("bytes=" + ",".join(["5000-"] * 17), 100) is None


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0", "bytes=100-,-0"])
def test_a_part_beyond_the_end_cannot_be_had(header: str) -> None:
    with pytest.raises(UnsatisfiableError):
        requested_range(header, 100)


def test_of_an_empty_file_only_the_last_bytes_can_be_had_and_are_none() -> None:
    assert requested_range("bytes=-5", 0) is None
    with pytest.raises(UnsatisfiableError):
        requested_range("bytes=0-", 0)


@settings(deadline=None)
@given(
    length=st.integers(0, 50),
    first=st.none() | st.integers(0, 60),
    last=st.none() | st.integers(0, 60),
)
def test_a_part_is_what_slicing_the_bytes_gives(
    length: int, first: int | None, last: int | None
) -> None:
    content = bytes(range(length))
    header = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    if first is None:
        expected = content[-last:] if last else b""
    else:
        expected = content[first : None if last is None else last + 1]
    try:
        part = requested_range(header, length)
    except UnsatisfiableError:
        assert expected == b""
        return
    malformed = last is None if first is None else last is not None and last < first
    if malformed or (first is None and length == 0):
        assert part is None
    else:
        assert part is not None
        assert content[part[0] : part[1]] == expected


@settings(deadline=None)
@given(st.text(max_size=60), st.integers(0, 1000))
def test_no_header_breaks_it_or_leads_beyond_the_file(text: str, length: int) -> None:
    for header in (text, f"bytes={text}"):
        try:
            part = requested_range(header, length)
        except UnsatisfiableError:
            continue
        assert part is None or 0 <= part[0] < part[1] <= length


MODIFIED = datetime(2026, 11, 22, 9, 0, 0, 750_000, tzinfo=UTC)
VERSION = FileVersion("64-abc", MODIFIED)
SAME_TIME = "Sun, 22 Nov 2026 09:00:00 GMT"
EARLIER = "Sun, 22 Nov 2026 08:59:59 GMT"
LATER = "Sun, 22 Nov 2026 09:00:01 GMT"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, None),
        ({"If-None-Match": '"64-abc"'}, 304),
        ({"If-None-Match": 'W/"64-abc"'}, 304),
        ({"If-None-Match": '"x", "64-abc"'}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": '"x"'}, None),
        ({"If-Modified-Since": SAME_TIME}, 304),
        ({"If-Modified-Since": LATER}, 304),
        ({"If-Modified-Since": EARLIER}, None),
        ({"If-Modified-Since": "yesterday"}, None),
        ({"If-None-Match": '"x"', "If-Modified-Since": LATER}, None),
        ({"If-Match": '"64-abc"'}, None),
        ({"If-Match": "*"}, None),
        ({"If-Match": '"x"'}, 412),
        ({"If-Match": 'W/"64-abc"'}, 412),
        ({"If-Unmodified-Since": SAME_TIME}, None),
        ({"If-Unmodified-Since": EARLIER}, 412),
        ({"If-Match": '"64-abc"', "If-Unmodified-Since": EARLIER}, None),
        ({"If-Match": '"x"', "If-None-Match": '"64-abc"'}, 412),
    ],
)
def test_conditions_are_asked_in_the_order_of_the_rfc(
    headers: dict[str, str], status: int | None
) -> None:
    assert precondition(Headers(headers), VERSION) == status


@pytest.mark.parametrize(
    ("if_range", "expected"),
    [
        (None, True),
        ('"64-abc"', True),
        (' "64-abc" ', True),
        (SAME_TIME, True),
        ('W/"64-abc"', False),
        ('"x"', False),
        ("64-abc", False),
        ("*", False),
        (EARLIER, False),
        (LATER, False),
        ("", False),
    ],
)
def test_parts_are_continued_only_of_the_very_same_file(
    if_range: str | None, expected: bool
) -> None:
    assert if_range_matches(if_range, VERSION) is expected


def test_a_time_within_the_same_second_counts_as_unmodified() -> None:
    version = FileVersion("a", MODIFIED + timedelta(milliseconds=200))
    assert precondition(Headers({"If-Modified-Since": SAME_TIME}), version) == 304
