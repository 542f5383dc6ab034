"""Banner above the lists while calls are not recorded, or may not be."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from callytics.pbx.heartbeat import PbxRow, is_silent


@dataclass(frozen=True)
class Notice:
    """Banner: what is wrong, what it means, and when the worker was last seen, where known."""

    title: str
    meaning: str
    seen_at: datetime | None = None
    # No events arrive, so calls shown as in progress may be over.
    is_deaf: bool = False


def worker_notice(pbxs: Sequence[PbxRow], now: datetime) -> Notice | None:
    """Return the banner for the PBXs, or None if all are well.

    It is about those that are worst off; with more than one PBX, it names them.
    """
    silent = [pbx for pbx in pbxs if is_silent(pbx, now)]
    if silent or not pbxs:
        return Notice(
            f"{_workers(silent, pbxs)} not running.",
            f"{_who(silent, pbxs)} takes no calls and starts no recordings until it runs again.",
            min((pbx.seen_at for pbx in silent), default=None),
            is_deaf=True,
        )
    if deaf := [pbx for pbx in pbxs if pbx.connected_at is None]:
        why = f" It says: {deaf[0].problem}" if deaf[0].problem else ""
        return Notice(
            f"{_workers(deaf, pbxs, 'has')} no connection to Asterisk.",
            f"No recordings are started until it has. It keeps trying.{why}",
            is_deaf=True,
        )
    if troubled := [pbx for pbx in pbxs if pbx.problem]:
        return Notice(f"{_workers(troubled, pbxs, 'reports')} a problem.", troubled[0].problem)
    return None


def _workers(some: Sequence[PbxRow], every: Sequence[PbxRow], verb: str = "is") -> str:
    """Return the subject of a sentence and its verb."""
    if len(every) < 2:
        return f"The worker {verb}"
    names = " and ".join(pbx.name for pbx in some)
    if len(some) == 1:
        return f"The worker of PBX {names} {verb}"
    plural = {"is": "are", "has": "have", "reports": "report"}[verb]
    return f"The workers of PBX {names} {plural}"


def _who(some: Sequence[PbxRow], every: Sequence[PbxRow]) -> str:
    return "Callytics" if len(some) == len(every) else "This PBX"
