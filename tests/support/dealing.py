"""Markers of tests by the servers that they use, and the order in which tests run."""

from collections.abc import Sequence
from itertools import chain, zip_longest

import pytest

from tests.support.programs import starts_programs

# Fixtures of each marker; a test gets the markers of all fixtures that it uses.
SERVERS = {
    "asterisk": {"asterisk"},
    "browser": {"browser", "firefox"},
    "postgres": {"postgres"},
}


def mark(items: Sequence[pytest.Item]) -> None:
    """Mark each test with the servers that it uses, and with its group.

    Tests that share a fixture of their file are one group for pytest-xdist, which distributes all
    other tests one by one.
    """
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        for marker, fixtures in SERVERS.items():
            if used & fixtures or (marker == "postgres" and _is_on_postgres(item)):
                item.add_marker(marker)
        if starts_programs(item):
            item.add_marker("process")
        if _shares_with_its_file(item):
            item.add_marker(pytest.mark.xdist_group(item.path.name))


def in_order(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """Return the tests, the long ones first: in turn one that mostly waits and one that computes.

    A call waits while people speak, a browser keeps a core busy. The short tests come last, so that
    all cores are in use to the end.
    """
    waiting = [item for item in items if _has(item, "asterisk", "slow", "long")]
    working = [item for item in items if _has(item, "browser") and item not in waiting]
    long = set(waiting) | set(working)
    waiting.sort(key=lambda item: not _has(item, "slow", "long"))
    in_turn = chain.from_iterable(zip_longest(waiting, working))
    return [item for item in in_turn if item] + [item for item in items if item not in long]


def _has(item: pytest.Item, *markers: str) -> bool:
    return any(item.get_closest_marker(marker) for marker in markers)


def _is_on_postgres(item: pytest.Item) -> bool:
    call = getattr(item, "callspec", None)
    return call is not None and "postgresql" in call.params.values()


def _shares_with_its_file(item: pytest.Item) -> bool:
    found = getattr(item, "_fixtureinfo", None)
    definitions = found.name2fixturedefs.values() if found else ()
    return any(fixture[-1].scope == "module" for fixture in definitions if fixture)
