"""JSON from outside: Asterisk's answers and events, flow documents, stored facts.

Their shape is known only once they are validated, so this is the place where values are `Any`.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

Json: TypeAlias = Any
JsonObject: TypeAlias = dict[str, Any]
# An object that is only read.
JsonMapping: TypeAlias = Mapping[str, Any]
