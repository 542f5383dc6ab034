"""`make bench` goes on working: each part that measures a library, with hardly anything in it."""

import re
import shutil

import pytest

from tests.bench import filling, growth, load, run

FIGURES = {
    "growth": ["page_first_growth", "page_deep_growth", "search_growth", "filters_growth"],
    "inserting": ["insert_rate_while_searching"],
}
BY_WRK = {
    "pages": ["page_anew_vs_empty_view", "poll_304_vs_empty_view"],
}


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """No filled library of somebody else's is used, changed or thrown away."""
    monkeypatch.setattr(filling, "cache", lambda: tmp_path)
    monkeypatch.setattr(run, "SMALL", 200)
    # Once each: what is measured is of no interest here.
    monkeypatch.setattr(load, "ROUNDS", 1)
    monkeypatch.setattr(growth, "TIMES", 1)
    monkeypatch.setattr(growth, "SEARCHES", growth.SEARCHES[:2])


@pytest.mark.long
def test_each_figure_is_printed_on_a_line_of_its_own(own_cache, capsys):
    parts = {**FIGURES, **(BY_WRK if shutil.which("wrk") else {})}
    run.measure_library(300, "sqlite", list(parts), seconds=1)
    said = capsys.readouterr().out
    for name in (name for names in parts.values() for name in names):
        assert re.search(rf"^{name}: \d+(\.\d+)?$", said, re.MULTILINE), f"{name} in\n{said}"


@pytest.mark.long
def test_a_library_is_filled_once(own_cache, tmp_path):
    for name in ("one", "two"):
        filling.sqlite_library(300, tmp_path / name)
    kept = list(tmp_path.glob("library-*-300.db"))
    assert len(kept) == 1
    assert (tmp_path / "two/callytics.db").resolve() == kept[0]
