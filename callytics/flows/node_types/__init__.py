"""Node types: each module of this package describes one.

To add a node type, add a module with a `NODE_TYPE` here, and a module of the same name with a
`run` to worker/nodes.
"""

from importlib import import_module
from pkgutil import iter_modules

from callytics.flows.node_types.base import NodeType


def _described() -> list[NodeType]:
    names = [module.name for module in iter_modules(__path__) if module.name != "base"]
    found = [import_module(f"{__name__}.{name}").NODE_TYPE for name in names]
    return sorted(found, key=lambda node_type: node_type.order)


NODE_TYPES: dict[str, NodeType] = {node_type.name: node_type for node_type in _described()}
