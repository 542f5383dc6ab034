"""Executors of the node types: one module for each, with the name of the type.

`run` leads the caller through the node and returns one of the results of the node type. After
`answered`, which means that a conversation took place, the flow ends.
"""

from collections.abc import Callable, Mapping
from importlib import import_module

from callytics.flows.node_types import NODE_TYPES
from callytics.flows.parts import NodePart
from worker.calls.session import Session

# Each takes a node of its own type.
EXECUTORS: Mapping[str, Callable[[Session, NodePart], str]] = {
    name: import_module(f"{__name__}.{name}").run for name in NODE_TYPES
}
