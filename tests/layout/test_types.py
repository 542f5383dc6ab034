"""Types of the code: `Any` stands only in modules that say why."""

import ast

import pytest

from tests.layout.import_graph import read_sources
from tests.support.asterisk import PROJECT

# Every other module takes its untyped values from these, under the names that they give them.
MAY_HOLD_ANY = {
    "callytics.json_values": "the shape of JSON is not known before it is validated",
    "callytics.database.reading": "SQLAlchemy's classes are invariant in the types of columns",
}


def holds_any(source: str) -> bool:
    """Return True if a module takes `Any` from typing, under any name, or the whole of typing."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module in ("typing", "typing_extensions"):
            if {alias.name for alias in node.names} & {"Any", "*"}:
                return True
        elif isinstance(node, ast.Import) and any(a.name == "typing" for a in node.names):
            return True
    return False


@pytest.mark.parametrize(
    "source",
    ["from typing import Any", "from typing import Final, Any as Whatever", "import typing as t"],
)
def test_any_is_found_under_every_name(source: str) -> None:
    assert holds_any(source)


def test_any_in_a_docstring_is_none() -> None:
    assert not holds_any('"""Any value."""\nfrom typing import Protocol\n')


def test_any_stands_only_where_it_is_listed() -> None:
    found = {name for name, source in read_sources(PROJECT).items() if holds_any(source)}
    assert found == MAY_HOLD_ANY.keys(), "type these values, or list the module with its reason"
