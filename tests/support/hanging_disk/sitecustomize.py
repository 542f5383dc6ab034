"""Hanging disk: with this folder in PYTHONPATH, disk calls block while a file exists.

The kernel's own ways to make a disk hang need a spare disk. A program sees the same here: `fsync`
does not return. With DISK_HANGS_UNDER, no call on a path in that folder returns, as with NFS whose
server is gone.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_pause, _exists, _folder = time.sleep, os.access, os.environ.get("DISK_HANGS_UNDER")


def _hang() -> None:
    while _exists(os.environ["DISK_HANGS_WHILE"], os.F_OK):
        _pause(0.01)


def _hanging(call: Callable[..., Any], everywhere: bool = False) -> Callable[..., Any]:
    def hang(*args: Any, **options: Any) -> Any:
        if everywhere or "dir_fd" in options or str(args[0]).startswith(str(_folder)):
            _hang()
        return call(*args, **options)

    return hang


os.fsync = _hanging(os.fsync, everywhere=True)
if _folder:
    for _name in ("open", "stat", "access", "scandir", "statvfs", "unlink", "replace"):
        setattr(os, _name, _hanging(getattr(os, _name)))
    Path.open = _hanging(Path.open)  # type: ignore[method-assign]
