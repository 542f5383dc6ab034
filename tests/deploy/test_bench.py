"""`make bench` goes on working: each part, with hardly anything to measure."""

import re
import shutil

import pytest

from tests.bench import filling, growth, load, run
from tests.bench.clients import bridges, calls, live_calls
from tests.bench.clients.programs import AsyncariPeer, MeasuredWorker, NodePeer
from tests.support.process import PROJECT

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
    _said(capsys, *(name for names in parts.values() for name in names))


@pytest.mark.long
def test_a_library_is_filled_once(own_cache, tmp_path):
    for name in ("one", "two"):
        filling.sqlite_library(300, tmp_path / name)
    kept = list(tmp_path.glob("library-*-300.db"))
    assert len(kept) == 1
    assert (tmp_path / "two/callytics.db").resolve() == kept[0]


def _said(capsys: pytest.CaptureFixture[str], *names: str) -> None:
    said = capsys.readouterr().out
    for name in names:
        assert re.search(rf"^{name}: \d+(\.\d+)?$", said, re.MULTILINE), f"{name} in\n{said}"


@pytest.mark.long
def test_the_worker_is_measured_beside_those_libraries_that_are_installed(monkeypatch, capsys):
    peers = [AsyncariPeer] if (PROJECT / ".venv/peers/bin/python").exists() else []
    peers += [NodePeer] if shutil.which("npm") else []
    monkeypatch.setattr(calls, "CLIENTS", (MeasuredWorker, *peers))
    monkeypatch.setattr(calls, "CALLS", 5)
    monkeypatch.setattr(calls, "ROUNDS", 1)
    monkeypatch.setattr(calls, "WARM_UP", 3)
    calls.main()
    names = [f"calls_per_cpu_second_vs_{peer.name}" for peer in peers]
    _said(capsys, "calls_per_cpu_second_worker", *names)


@pytest.mark.long
def test_live_calls_are_measured(monkeypatch, capsys):
    for name, value in {"LIVE": 5, "EVENTS": 50, "WARM_UP": 3}.items():
        monkeypatch.setattr(live_calls, name, value)
    live_calls.main()
    _said(capsys, "memory_mb_per_1000_live_calls", "events_per_second")


@pytest.mark.long
def test_recorded_bridges_are_measured(monkeypatch, capsys):
    for name, value in {"STEP": 2, "MOST": 2, "TALK_SECONDS": 1.0}.items():
        monkeypatch.setattr(bridges, name, value)
    bridges.main()
    _said(capsys, "recorded_bridges", "worker_cpu_vs_asterisk_cpu")
