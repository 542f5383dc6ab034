"""Makes a process's disk hang on demand: with this folder in PYTHONPATH, while a file is there.

The kernel's own ways to let a disk hang need a disk to spare. To a program it looks the same: the
call that would put its bytes on the disk does not return.
"""

import os
import time
from pathlib import Path

_sync, _pause = os.fsync, time.sleep


def _hang(file: int) -> None:
    while Path(os.environ["DISK_HANGS_WHILE"]).exists():
        _pause(0.01)
    _sync(file)


os.fsync = _hang
