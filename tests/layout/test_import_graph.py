"""Layout of the imports: one way, from the floors above to the floors below, without circles."""

import re
from pathlib import Path

import pytest

from tests.layout.floors import floor_of, upward
from tests.layout.import_graph import (
    Graph,
    arrows,
    circle,
    module_graph,
    package_graph,
    read_sources,
)

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def modules() -> Graph:
    return module_graph(read_sources(PROJECT))


@pytest.fixture(scope="module")
def packages(modules: Graph) -> Graph:
    return package_graph(modules)


def test_packages_import_in_no_circle(packages: Graph) -> None:
    found = circle(packages)
    assert found is None, "a circle of packages: " + " → ".join(found or [])


def test_modules_import_in_no_circle(modules: Graph) -> None:
    found = circle(modules)
    assert found is None, "a circle of modules: " + " → ".join(found or [])


def test_no_import_goes_up(packages: Graph) -> None:
    found = upward(packages)
    assert not found, "imports that go up:\n" + "\n".join(f"{a} → {b}" for a, b in found)


def test_migrations_import_nothing_of_the_live_code() -> None:
    """A migration must do the same in each version of the code that it is run with."""
    ours = r"(?:callytics(?!\.migrations\.)|worker)\b"
    live = re.compile(rf"^\s*(?:from|import)\s+{ours}", re.MULTILINE)
    versions = sorted((PROJECT / "callytics/migrations/versions").glob("*.py"))
    assert [p.name for p in versions if live.search(p.read_text())] == []


# The checker itself, on small graphs that break the rules.


def test_circle_is_named_in_the_order_of_its_imports() -> None:
    found = circle(module_graph({"a": "import b", "b": "from c import x", "c": "import a"}))
    assert found is not None
    assert sorted(found[1:]) == ["a", "b", "c"]
    assert found[0] == found[-1]
    assert "a b" in " ".join(found * 2)
    assert circle({"a": {"b"}, "b": {"c"}, "c": set()}) is None


@pytest.mark.parametrize(
    "late",
    [
        "def f():\n    from callytics.calls import library\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import callytics.calls.library\n",
        "from callytics.calls.library import rows\n",
    ],
)
def test_imports_in_functions_and_for_types_count_too(late: str) -> None:
    sources = {
        "callytics.calls": "",
        "callytics.calls.library": "import callytics.recordings.library\n",
        "callytics.recordings.library": late,
    }
    graph = module_graph(sources)
    assert graph["callytics.recordings.library"] == {"callytics.calls.library"}
    assert circle(graph) is not None
    assert circle(package_graph(graph)) is not None


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("callytics.database.engine", "callytics.recordings.models"),
        ("callytics.recordings.library", "callytics.web.http.formatting"),
        ("callytics.web.http.formatting", "callytics.web.recordings.waveforms"),
        ("callytics.web.calls.live", "callytics.cli.calls"),
        ("callytics.cli.doctor", "worker.persistence.heartbeat"),
        ("worker.recording.recorder", "worker.calls.session"),
        ("worker.calls.session", "worker.__main__"),
        ("callytics.cli.commands", "callytics"),
        ("callytics.clock", "callytics.storage.folder"),
    ],
)
def test_import_that_goes_up_is_found(importer: str, imported: str) -> None:
    graph = package_graph(module_graph({importer: f"import {imported}", imported: ""}))
    assert upward(graph) == arrows(graph)
    assert len(arrows(graph)) == 1


def test_import_that_goes_down_or_along_is_allowed() -> None:
    down = {"app": {"callytics"}, "callytics": {"callytics.web"}, "worker.__main__": {"callytics"}}
    along = {"callytics.calls": {"callytics.recordings", "callytics.database"}}
    assert upward({**down, **along}) == []


def test_package_without_a_floor_is_told() -> None:
    with pytest.raises(LookupError, match=r"worker\.speech has no floor yet"):
        floor_of("worker.speech")
