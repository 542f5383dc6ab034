"""Executors of the node types: one module for each, found by the name of its type.

`run` leads the caller through the node and returns its result, one of those that the node type
describes; `answered` means that a conversation took place, which ends the flow.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from callytics.flows.node_types import NODE_TYPES
from worker.calls.session import Session

EXECUTORS: Mapping[str, Callable[[Session, Any], str]] = {
    name: import_module(f"{__name__}.{name}").run for name in NODE_TYPES
}
