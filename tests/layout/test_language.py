"""Language of the code: American spelling."""

import re
from pathlib import Path

import pytest

from tests.support.asterisk import PROJECT

FOLDERS = ("callytics", "worker", "deploy", "tests")
TEXTS = ("*.py", "*.html", "*.js", "*.css", "*.md", "*.conf", "*.yaml", "*.txt", "Makefile")

BRITISH = re.compile(
    r"\b(\w*colour\w*|dialled|dialling|cancelled|cancelling|travelled|labelled|behaviours?|centred?|"
    r"favourites?|catalogue|grey|licences?|\w+[nl]is(?:e[ds]?|ing|ations?)|recognis\w+|judgement)\b",
    re.IGNORECASE,
)


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
