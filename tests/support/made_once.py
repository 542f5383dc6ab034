"""Folders that are made once in a run, for all test processes, and then copied."""

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Return the folder `name` of this run; the first process that asks fills it by `make`."""
    base = factory.getbasetemp()
    # Each process of pytest-xdist has its own folder below that of the run.
    root = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    folder = root / f"once-{name}"
    with (root / f"once-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            draft = root / f"draft-{name}"
            draft.mkdir(exist_ok=True)
            make(draft)
            draft.rename(folder)
    return folder
