"""First statements of the worker: gevent replaces what blocks before anything else is imported."""

import ast

from tests.support.process import PROJECT


def test_the_worker_imports_nothing_before_gevent_has_replaced_what_blocks() -> None:
    tree = ast.parse((PROJECT / "worker/__main__.py").read_text())
    docstring, imported, replaced, *_ = map(ast.unparse, tree.body)
    assert docstring
    assert (imported, replaced) == ("from gevent import monkey", "monkey.patch_all()")
