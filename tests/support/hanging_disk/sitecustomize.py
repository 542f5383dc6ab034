"""Makes a process's disk hang on demand: with this folder in PYTHONPATH, while a file is there.

The kernel's own ways to let a disk hang need a disk to spare. To a program it looks the same: the
call that would put its bytes on the disk does not return. With DISK_HANGS_UNDER it is every call
that looks into that folder, as with NFS when its server is gone.
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
