"""Notes and tags on SQLite and PostgreSQL: stored, found, and deleted with their recording."""

import pytest

from callytics.recordings import ledger, notes
from callytics.search.engine import find
from callytics.search.filters import Filters
from tests.support.shelf import Shelf


@pytest.fixture
def shelf(any_env: dict[str, str]):
    return Shelf.of(any_env)


def found(filters: Filters) -> list[tuple[str, str | None]]:
    return [(row.caller_name, row.tags) for row in find(filters).rows]


def test_what_is_written_is_found_shown_and_gone_again(shelf: Shelf) -> None:
    ann, _ = (shelf.add(None, state="failed", caller_name=name) for name in ("Ann", "Ben"))
    with shelf.app.app_context():
        for name in ("refund", "billing"):
            notes.add_tag(ann.uid, name, "rita")
            notes.add_tag(ann.uid, name, "rita")
        notes.add_note(ann.uid, "00:12 a copy of the Invoice", "rita")
        notes.add_note(ann.uid, "of the whole", "rita")
        assert found(Filters()) == [("Ben", None), ("Ann", "billing,refund")]
        for filters in (Filters(tag="refund"), Filters(search="invoice"), Filters(search="BILL")):
            assert found(filters) == [("Ann", "billing,refund")]
        assert [n.at_ms for n in notes.annotations_of(ann.uid).notes] == [None, 12_000]
        assert notes.recent_tags() == ["billing", "refund"]
        ledger.save_recording(ann.but(state_reason="written anew"))
        assert found(Filters(search="invoice", sort="duration")) == []
        assert found(Filters(search="invoice", tag="billing")) == [("Ann", "billing,refund")]
        ledger.forget_recording(ann.uid)
        assert notes.annotations_of(ann.uid) == notes.Annotations()
        assert found(Filters()) == [("Ben", None)]
