"""Language of the code: docstrings that begin with a noun or a verb, and American spelling."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.asterisk import PROJECT

FOLDERS = ("callytics", "worker", "deploy", "tests")
TEXTS = ("*.py", "*.html", "*.js", "*.css", "*.md", "*.conf", "*.yaml", "*.txt", "Makefile")

# "What is kept" makes a reader guess; "Cache of …" and "Return …" do not.
RELATIVE = re.compile(r"(What|Who|Whom|Whose|How|Which|Whether|Where|When|Why)(ever)?\b")
BRITISH = re.compile(
    r"\b(\w*colour\w*|dialled|dialling|cancelled|cancelling|travelled|labelled|behaviours?|centred?|"
    r"\w*(?:fav|neighb|hon|lab|harb)our\w*|catalogue|programmes?|whilst|modell(?:ed|ing)|grey|"
    r"licences?|\w+[nl]is(?:e[ds]?|ing|ations?)|(?:recogn|optim|minim|maxim|summar)is\w+|"
    r"analys(?:e[ds]?|ing)|judgement)\b",
    re.IGNORECASE,
)


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each docstring of a Python file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text


def python_files() -> list[Path]:
    """Return every Python file of the project."""
    return [PROJECT / "app.py"] + [
        path for folder in FOLDERS for path in sorted((PROJECT / folder).rglob("*.py"))
    ]


def test_a_relative_clause_is_found():
    assert RELATIVE.match("Who may hear a recording.")
    assert RELATIVE.match("Whatever is left.")
    assert not RELATIVE.match("Whole seconds of a recording.")
    assert not RELATIVE.match("Keyset pagination.")


def test_no_docstring_begins_with_a_relative_clause():
    found = [
        f"{path.relative_to(PROJECT)}:{line}: {text.splitlines()[0]}"
        for path in python_files()
        for line, text in docstrings(path)
        if RELATIVE.match(text)
    ]
    assert not found, "begin with the noun for what it is:\n" + "\n".join(found)


@pytest.mark.parametrize("pattern", TEXTS)
def test_spelling_is_american(pattern):
    found = [
        f"{path.relative_to(PROJECT)}: {match[0]}"
        for folder in (*FOLDERS, "templates", "static", "docs", ".")
        for path in sorted(
            (PROJECT / folder).glob(pattern) if folder == "." else (PROJECT / folder).rglob(pattern)
        )
        if path != Path(__file__) and not path.name.startswith("htmx-")
        for match in BRITISH.finditer(path.read_text())
    ]
    assert not found, "\n".join(found)
