"""Pauses of a recording, stored and read alike on both databases."""

from datetime import UTC, datetime, timedelta

from callytics.recordings import library
from callytics.recordings.pauses import PausedSpan
from tests.support.shelf import STARTED_AT, Shelf

ODD = "o'dd \"\\ \U0001f98a name"
SPANS = (
    PausedSpan(STARTED_AT, "ada", 0, STARTED_AT + timedelta(microseconds=1), ODD),
    PausedSpan(datetime(1970, 1, 1, tzinfo=UTC), "", 7, datetime(2999, 1, 1, tzinfo=UTC), "", True),
    PausedSpan(STARTED_AT, ODD, (1 << 31) - 1),
)


def test_spans_are_read_from_the_row_as_they_were_written(any_env: dict[str, str]) -> None:
    shelf = Shelf.of(any_env)
    some, none = shelf.add(b"", pauses=SPANS), shelf.add(b"")
    assert shelf.row(some).pauses == SPANS
    assert shelf.row(none).pauses == ()
    # Pages cache rows by their values.
    assert hash(shelf.row(some)) == hash(shelf.row(some))
    shelf.add(None, **{**vars(some), "pauses": ()})
    assert shelf.row(some).pauses == ()
    with shelf.app.app_context():
        assert [row.pauses for row in library.newest(0)] == [(), ()]
