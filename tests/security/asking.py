"""Names that a view reads from its request: a new parameter is tried without being listed.

The application's request is replaced by one that notes each name that is asked of the query, of
the form, of the files and of the headers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, Request
from werkzeug.datastructures import ImmutableMultiDict

asked: dict[str, set[str]] = {"args": set(), "form": set(), "files": set()}


class _Noting(ImmutableMultiDict[str, Any]):
    """A multi-dict that notes the names it is asked for; `source` says which of them."""

    source = ""

    def _note(self, name: object) -> None:
        if isinstance(name, str):
            asked[self.source].add(name)

    def __getitem__(self, name: str) -> Any:
        self._note(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self._note(name)
        return super().__contains__(name)

    def get(self, name: str, *arguments: Any, **options: Any) -> Any:
        """Return a value."""
        self._note(name)
        return super().get(name, *arguments, **options)

    def getlist(self, name: str, *arguments: Any, **options: Any) -> list[Any]:
        """Return all values."""
        self._note(name)
        return super().getlist(name, *arguments, **options)


class _Args(_Noting):
    source = "args"


class _Form(_Noting):
    source = "form"


class _Files(_Noting):
    source = "files"


class NotingRequest(Request):
    """A request that notes what a view reads of it."""

    parameter_storage_class = _Args

    @property
    def form(self) -> Any:
        """The fields of the form."""
        return _Form(super().form)

    @property
    def files(self) -> Any:
        """The files of the form."""
        return _Files(super().files)


@contextmanager
def noting(app: Flask) -> Iterator[dict[str, set[str]]]:
    """Let `app` note the names that its views ask for; the sets are filled while it runs."""
    before = app.request_class
    app.request_class = NotingRequest
    try:
        yield asked
    finally:
        app.request_class = before
