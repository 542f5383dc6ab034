"""Bridge ids: the PBX and the call that a bridge belongs to.

Another PBX, or another application of the same Asterisk, lists the bridge too and must know that it
is not its own.
"""

import re
from collections.abc import Iterable

_PREFIX = "callytics-"
# As `identifiers.new_uid` makes it. A name of a PBX may hold hyphens, this may not.
_UID = re.compile(r"[0-9a-f]{20}")


def bridge_id_of(pbx: str, call_uid: str) -> str:
    """Return the id of a call's bridge, the same in every process that leads the call."""
    return f"{_PREFIX}{pbx}-{call_uid}"


def call_of_bridge(pbx: str, bridge_id: str) -> str | None:
    """Return the uid of the call of a bridge, or None if it is no bridge of this PBX."""
    own = f"{_PREFIX}{pbx}-"
    call_uid = bridge_id.removeprefix(own) if bridge_id.startswith(own) else ""
    return call_uid if _UID.fullmatch(call_uid) else None


def find_bridge(call_uid: str, bridge_ids: Iterable[str]) -> str | None:
    """Return the bridge of a call, also if a PBX of another name created it, or None."""
    end = f"-{call_uid}"
    return next((b for b in bridge_ids if b.startswith(_PREFIX) and b.endswith(end)), None)
