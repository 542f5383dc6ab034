"""Library of the tests of retention, on both databases."""

from collections.abc import Iterator

import pytest

from tests.support.shelf import Shelf


@pytest.fixture
def shelf(any_env: dict[str, str]) -> Iterator[Shelf]:
    """Library of a new installation, in its app context."""
    library = Shelf.of(any_env)
    with library.app.app_context():
        yield library
