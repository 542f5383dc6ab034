"""Tests that start programs of their own, found by the code of the tests and of their fixtures."""

import subprocess
from collections.abc import Iterator
from functools import cache
from inspect import unwrap
from types import CodeType, FunctionType
from typing import Any

import pytest

from tests.support.process import Process
from tests.support.processes import run_flask


def starts_programs(item: pytest.Item) -> bool:
    """Return True if a test or one of its fixtures refers to something that starts a program."""
    definitions = getattr(item, "_fixtureinfo").name2fixturedefs.values()  # noqa: B009
    fixtures = (fixture[-1].func for fixture in definitions if fixture[-1].scope != "session")
    return any(map(_starts, (getattr(item, "function", None), *fixtures)))


@cache
def _starts(function: Any) -> bool:
    """Return True if a function, or a helper that it reaches, refers to a starter of programs."""
    seen, left = set(), [unwrap(function)]
    while left:
        named = [value for value in _named(left.pop()) if id(value) not in seen]
        if any(map(_is_starter, named)):
            return True
        seen |= set(map(id, named))
        left += [unwrap(value) for value in named if _is_helper(value)]
    return False


def _named(function: Any) -> Iterator[Any]:
    """Yield the values of the module's names that a function refers to."""
    if isinstance(function, FunctionType):
        yield from (function.__globals__.get(name) for name in set(_names(function.__code__)))


def _is_starter(value: Any) -> bool:
    # By identity: an array has no truth value.
    if value is subprocess or value is run_flask:
        return True
    return isinstance(value, type) and issubclass(value, Process)


def _is_helper(value: Any) -> bool:
    return isinstance(value, FunctionType) and value.__module__.startswith("tests.")


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)
